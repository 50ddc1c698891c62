"""One worker at a time has a row; one that lost it changes nothing any more."""

from collections.abc import Iterator
from datetime import timedelta
from uuid import UUID

import pytest
import time_machine
from django.db.models import QuerySet
from django.utils import timezone

from jobs.actions.cancellation import request_cancel
from jobs.models import JobAction, ProviderAccount
from jobs.models.work import LeasedModel
from jobs.workqueue import leases
from jobs.workqueue.leases import LeaseLost
from tests.jobs.factories import NOON, make_job
from tests.threads import together

MINUTE = timedelta(minutes=1)

Rows = QuerySet[LeasedModel, LeasedModel]


@pytest.fixture(params=[ProviderAccount, JobAction])
def rows(request: pytest.FixtureRequest, account: ProviderAccount) -> Rows:
    """All rows of a table that are due, of which there is one."""
    request_cancel(make_job(account, status="running"))
    model = request.param
    return model.objects.all()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def take(rows: Rows) -> LeasedModel | None:
    return leases.take(rows, rows.get().pk, MINUTE)


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_gets_the_row(rows: Rows) -> None:
    pk = rows.get().pk
    held: list[UUID | None] = []

    def work() -> None:
        if row := leases.take(rows, pk, MINUTE):
            held.append(row.lease)

    together(*[work] * 6)
    assert held == [rows.get().lease]


@pytest.mark.django_db
def test_a_row_is_taken_only_from_those_that_are_due(rows: Rows) -> None:
    assert leases.take(rows.none(), rows.get().pk, MINUTE) is None
    assert rows.get().lease is None


@pytest.mark.django_db
def test_a_held_row_is_free_again_when_its_lease_runs_out(
    rows: Rows, clock: time_machine.Traveller
) -> None:
    assert take(rows)
    clock.shift(MINUTE)
    assert take(rows) is None
    clock.shift(1)
    assert take(rows)


@pytest.mark.django_db
def test_a_renewed_lease_lasts_from_then_on(rows: Rows, clock: time_machine.Traveller) -> None:
    row = take(rows)
    assert row
    clock.shift(45)
    leases.renew(row, MINUTE)
    clock.shift(45)
    assert take(rows) is None
    leases.release(row)
    assert take(rows)


@pytest.mark.django_db
def test_a_worker_that_lost_its_lease_changes_nothing(
    rows: Rows, clock: time_machine.Traveller
) -> None:
    stopped = take(rows)
    clock.shift(MINUTE + timedelta(seconds=1))
    other = take(rows)
    assert stopped
    assert other
    with pytest.raises(LeaseLost):
        leases.renew(stopped, MINUTE)
    leases.release(stopped)
    assert not leases.held(stopped).exists()
    assert leases.held(other).get().leased_until == timezone.now() + MINUTE


@pytest.mark.django_db
def test_taking_a_row_ends_the_wait_for_its_message(rows: Rows) -> None:
    rows.update(dispatched_until=NOON)
    assert take(rows)
    assert rows.get().dispatched_until is None
