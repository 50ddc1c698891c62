"""An account is late by its last success, whatever was dispatched, tried or failed since."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from celery import current_app
from django.utils import timezone

from jobs import tasks
from jobs.accounts import service
from jobs.accounts.freshness import HealthStatus, freshness
from jobs.models import ProviderAccount
from jobs.models.account import LEASE
from jobs.sync.on_demand import request_sync
from jobs.sync.outcome import IDLE_INTERVAL_S
from jobs.sync.runner import sync_account
from tests.jobs.factories import NOON, end_pauses
from tests.jobs.fake_zencoder import FakeZencoder, failing, unreachable

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def synced(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> ProviderAccount:
    ProviderAccount.objects.update(next_sync_at=NOON, expected_at=NOON)
    sync_account(account.pk)
    return account


def status(account: ProviderAccount) -> HealthStatus:
    account.refresh_from_db()
    return freshness(account, timezone.now()).status


def is_late(account: ProviderAccount) -> bool:
    account.refresh_from_db()
    return account.is_late(timezone.now())


def test_ticks_that_no_worker_follows_do_not_make_it_healthy(
    synced: ProviderAccount, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(current_app, "send_task", lambda *args, **options: None)
    for _ in range(60):
        clock.shift(2)
        tasks.tick()
    assert (status(synced), is_late(synced)) == (HealthStatus.OK, False)
    clock.shift(2)
    tasks.tick()
    assert (status(synced), is_late(synced)) == (HealthStatus.LATE, True)


def test_it_is_in_time_up_to_its_own_interval(
    synced: ProviderAccount, clock: time_machine.Traveller
) -> None:
    ProviderAccount.objects.update(options={"idle_interval_s": "600"})
    clock.shift(IDLE_INTERVAL_S)
    sync_account(synced.pk)
    clock.shift(600 + 59)
    assert not is_late(synced)
    clock.shift(2)
    assert is_late(synced)


@pytest.mark.parametrize("fault", [failing(500), unreachable])
def test_failures_are_failures_and_make_it_late_as_well(
    synced: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller, fault: object
) -> None:
    zencoder.faults["list"] = fault  # type: ignore[assignment]
    for _ in range(3):
        clock.shift(60)
        end_pauses()
        sync_account(synced.pk)
    assert (status(synced), is_late(synced)) == (HealthStatus.FAILING, True)
    zencoder.faults.clear()
    end_pauses()
    sync_account(synced.pk)
    assert (status(synced), is_late(synced)) == (HealthStatus.OK, False)


def test_a_first_pass_that_goes_on_is_in_time_and_a_killed_one_is_not(
    account: ProviderAccount, clock: time_machine.Traveller
) -> None:
    ProviderAccount.objects.update(imported_at=None, expected_at=NOON)
    for _ in range(5):
        now = timezone.now()
        ProviderAccount.objects.update(leased_until=now + LEASE)  # as each page does
        clock.shift(50)
        assert status(account) == HealthStatus.IMPORTING
    clock.shift(20)
    assert status(account) == HealthStatus.LATE


def test_nothing_is_expected_of_a_paused_account_nor_at_once_after_it(
    synced: ProviderAccount, clock: time_machine.Traveller
) -> None:
    service.set_enabled(synced, False, user=None)
    clock.shift(timedelta(days=1))
    assert (status(synced), is_late(synced)) == (HealthStatus.PAUSED, False)
    service.set_enabled(synced, True, user=None)
    assert (status(synced), is_late(synced)) == (HealthStatus.OK, False)
    clock.shift(MINUTE + timedelta(seconds=1))
    assert status(synced) == HealthStatus.LATE


def test_asking_for_a_sync_does_not_make_an_old_success_recent(
    synced: ProviderAccount, clock: time_machine.Traveller
) -> None:
    clock.shift(timedelta(minutes=10))
    request_sync(synced)
    assert status(synced) == HealthStatus.LATE
