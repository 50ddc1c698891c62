"""A bulk action asks for the next job as one ends, and as fast as its account allows."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from celery import current_app
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from jobs import tasks
from jobs.bulk import pacing, worker
from jobs.bulk.worker import run_bulk
from jobs.models import BulkAction, JobAction, ProviderAccount, RateBudget
from tests.jobs.bulk.conftest import Start
from tests.jobs.factories import NOON, make_account, make_job
from tests.jobs.fake_zencoder import FakeZencoder, failing

pytestmark = pytest.mark.django_db

Collect = Callable[[Callable[[], Any]], list[int]]


@pytest.fixture
def runs(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> Collect:
    """For which bulk actions a call sends messages."""
    sent: list[int] = []

    def publish(name: str, args: tuple[Any, ...], **options: Any) -> None:
        if name == "jobs.tasks.run_bulk":
            sent.append(args[0])

    monkeypatch.setattr(current_app, "send_task", publish)

    def collect(call: Callable[[], Any]) -> list[int]:
        sent.clear()
        with django_capture_on_commit_callbacks(execute=True):
            call()
        return list(sent)

    return collect


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def begin_cancel(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Start, count: int, first: int = 71
) -> BulkAction:
    """A bulk action on `count` running jobs, whose first run is over."""
    numbers = range(first, first + count)
    for number in numbers:
        zencoder.add(number, "processing")
    jobs = [make_job(account, remote_id=str(number), status="running") for number in numbers]
    bulk = begin("cancel", ids=[job.pk for job in jobs])
    run_bulk(bulk.pk)
    return bulk


def requested(bulk: BulkAction) -> int:
    return bulk.targets.exclude(outcome="pending").count()


def test_the_end_of_one_has_the_next_requested(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    begin: Start,
    runs: Collect,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pacing, "UNDER_WAY", 2)
    bulk = begin_cancel(account, zencoder, begin, 5)
    first, second = JobAction.objects.order_by("pk")
    # no second has passed, and no tick has come
    assert runs(lambda: tasks.run_action(first.pk)) == [bulk.pk]
    assert runs(lambda: tasks.run_action(second.pk)) == []  # the message is under way
    run_bulk(bulk.pk)
    assert requested(bulk) == 4


def test_what_ends_while_a_run_is_at_work_is_looked_at_by_the_next(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    begin: Start,
    runs: Collect,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pacing, "UNDER_WAY", 1)
    bulk = begin_cancel(account, zencoder, begin, 2)
    clock.shift(timedelta(seconds=2))

    def end_one(taken: BulkAction) -> float:
        assert runs(lambda: tasks.run_action(JobAction.objects.get().pk)) == []
        return 1.0

    with monkeypatch.context() as patched:
        patched.setattr(worker, "_run", end_one)
        assert runs(lambda: run_bulk(bulk.pk)) == [bulk.pk]
    run_bulk(bulk.pk)
    assert requested(bulk) == 2


def test_an_action_that_goes_on_waiting_wakes_nothing(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    begin: Start,
    runs: Collect,
    clock: time_machine.Traveller,
) -> None:
    begin_cancel(account, zencoder, begin, 1)
    zencoder.faults["cancel"] = failing(503)
    action = JobAction.objects.get()
    assert runs(lambda: tasks.run_action(action.pk)) == []
    action.refresh_from_db()
    assert action.state == "due"


def test_of_many_bulk_actions_two_are_run_at_a_time(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    begin: Start,
    runs: Collect,
    clock: time_machine.Traveller,
) -> None:
    started = [begin_cancel(account, zencoder, begin, 1, first) for first in (71, 72, 73)]
    clock.shift(timedelta(seconds=2))
    assert runs(worker.dispatch) == [bulk.pk for bulk in started[:2]]
    assert runs(worker.dispatch) == []
    # the end of a run makes room for the one that waits
    assert runs(lambda: run_bulk(started[0].pk)) == [started[2].pk]


def test_a_tenth_of_an_accounts_requests_is_left_to_people(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Start, clock: time_machine.Traveller
) -> None:
    account.options = {"requests_per_minute": "40"}
    account.save(update_fields=["options"])
    just_now = timezone.now().timestamp() - 50
    RateBudget.objects.create(account=account, bucket="cancel", sent=[[just_now, 30]])
    bulk = begin_cancel(account, zencoder, begin, 30)
    assert requested(bulk) == 6
    clock.shift(timedelta(seconds=11))
    JobAction.objects.update(state="done")
    run_bulk(bulk.pk)
    assert requested(bulk) == 6 + pacing.UNDER_WAY


def test_bulk_actions_at_the_same_account_share_what_may_be_under_way(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    begin: Start,
    clock: time_machine.Traveller,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pacing, "UNDER_WAY", 4)
    large = begin_cancel(account, zencoder, begin, 20)
    small = begin_cancel(account, zencoder, begin, 2, first=99)
    begin_cancel(make_account(account.organization), zencoder, begin, 1, first=120)
    assert (requested(large), requested(small)) == (4, 0)
    for _ in range(2):
        clock.shift(timedelta(seconds=2))
        JobAction.objects.update(state="done")
        run_bulk(large.pk)
        run_bulk(small.pk)
    assert (requested(large), requested(small)) == (8, 2)
