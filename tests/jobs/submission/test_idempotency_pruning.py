"""Keys are kept for as long as a call may be repeated, and pruned some time after that."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from celery import current_app

from jobs import tasks
from jobs.models import IdempotencyKey, Job
from jobs.submission import idempotency
from jobs.submission.idempotency import CallerKey
from organizations.models import Organization
from tests.jobs.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def use(organization: Organization, text: str) -> None:
    job: Job | None = None
    IdempotencyKey.objects.create(
        organization=organization, owner="command", key=text, call="submit", job=job
    )


def kept() -> list[str]:
    return list(IdempotencyKey.objects.order_by("pk").values_list("key", flat=True))


def test_a_key_outlives_the_time_in_which_calls_are_repeated(
    organization: Organization, clock: time_machine.Traveller
) -> None:
    use(organization, "order-7")
    clock.shift(timedelta(days=30))
    tasks.prune()
    assert kept() == ["order-7"]
    clock.shift(timedelta(days=61))
    use(organization, "order-8")
    tasks.prune()
    assert kept() == ["order-8"]
    known = CallerKey("command", "order-7", "submit", "")
    assert idempotency.find_job(organization, known) is None


def test_all_that_is_old_goes_a_batch_at_a_time(
    organization: Organization, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "BATCH", 3)
    for number in range(7):
        use(organization, f"old-{number}")
    clock.shift(timedelta(days=91))
    use(organization, "new")
    assert idempotency.prune(NOON + timedelta(days=91)) == 7
    assert kept() == ["new"]


def test_pruning_is_scheduled() -> None:
    scheduled = {entry["task"] for entry in current_app.conf.beat_schedule.values()}
    assert "jobs.tasks.prune" in scheduled & set(current_app.tasks)
