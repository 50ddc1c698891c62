"""One pass over one account: its lease, its refresh of jobs, its failures and its next time."""

import threading
import time
from datetime import timedelta

import pytest
import requests
import time_machine
from django.utils import timezone
from pytest_django import Settings

from jobs.models import HealthState, Job, JobPoll, ProviderAccount
from jobs.models.account import LEASE
from jobs.sync import runner
from jobs.sync.on_demand import request_sync
from jobs.sync.outcome import ACTIVE_INTERVAL_S, BACKOFF, IDLE_INTERVAL_S
from jobs.sync.report import Report
from jobs.sync.runner import sync_account
from jobs.workqueue import leases
from tests.jobs.factories import NOON, end_pauses, make_job
from tests.jobs.fake_zencoder import FakeZencoder, failing, unreachable

pytestmark = pytest.mark.django_db


def run(account: ProviderAccount, *, foreground: bool = False) -> Report:
    report = sync_account(account.pk, foreground=foreground)
    assert report is not None
    account.refresh_from_db()
    return report


def wait_of(account: ProviderAccount) -> float:
    return (account.next_sync_at - timezone.now()).total_seconds()


def test_a_second_worker_gets_nothing(account: ProviderAccount, zencoder: FakeZencoder) -> None:
    assert leases.take(ProviderAccount.objects.all(), account.pk, LEASE)
    assert sync_account(account.pk) is None
    assert zencoder.asked == {}


def test_the_lease_of_a_killed_worker_runs_out(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        leases.take(ProviderAccount.objects.all(), account.pk, LEASE)
        clock.shift(LEASE + timedelta(seconds=1))
        assert run(account).ok
    assert account.lease is None


def test_a_worker_that_lost_its_lease_stops_and_leaves_the_account_alone(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    for number in range(1, 101):
        zencoder.add(number)

    def steal(request: requests.PreparedRequest) -> None:
        ProviderAccount.objects.filter(pk=account.pk).update(
            lease="00000000-0000-4000-8000-000000000000", consecutive_failures=7
        )

    zencoder.faults["list"] = steal
    report = run(account)
    assert report.ok is False
    assert "another worker" in str(report.error)
    assert zencoder.asked["list"] == 1
    assert (str(account.lease)[:8], account.consecutive_failures) == ("00000000", 7)


def test_active_jobs_beyond_the_list_are_read_one_by_one(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    for number in range(2, 62):
        zencoder.add(number)
    run(account)
    zencoder.add(1)
    job = make_job(account, remote_id="1", status="running")
    run(account)
    job.refresh_from_db()
    assert (zencoder.asked["details"], job.status) == (1, "succeeded")
    assert not JobPoll.objects.exists()


def test_progress_of_running_jobs_is_read_beside_the_list(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.add(8, "processing")
    zencoder.add(9, "waiting")
    zencoder.progress[8] = 33.5
    run(account)
    assert Job.objects.get(remote_id="8").progress == 33.5
    assert Job.objects.get(remote_id="9").progress is None
    assert zencoder.asked["progress"] == 1


def test_a_job_that_cannot_be_read_stops_no_other_and_is_left_alone_for_a_while(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    for number in range(1, 5):
        make_job(account, remote_id=str(number), status="running")
    for number in (2, 3, 4):
        zencoder.add(number)
    zencoder.faults["list"] = lambda request: (200, {"Content-Type": "application/json"}, "[]")
    zencoder.faults["details 3"] = failing(500)
    report = run(account)
    assert report.ok
    assert report.gone == 1  # the first
    ended = Job.objects.filter(status="succeeded")
    assert set(ended.values_list("remote_id", flat=True)) == {"2", "4"}
    assert JobPoll.objects.get().next_at > timezone.now() + timedelta(minutes=4)
    zencoder.asked.clear()
    run(account)
    assert zencoder.asked == {"list": 1}


@pytest.mark.parametrize("status", [500, 403, 404])
def test_one_poisoned_job_does_not_make_the_account_fail(
    account: ProviderAccount, zencoder: FakeZencoder, status: int
) -> None:
    make_job(account, remote_id="3", status="running")
    zencoder.faults["details 3"] = failing(status)
    assert run(account).ok
    assert account.health == HealthState.OK


def test_when_no_job_can_be_read_it_is_the_accounts_trouble(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    for number in range(1, 4):
        make_job(account, remote_id=str(number), status="running")
    zencoder.faults["details"] = failing(500)
    report = run(account)
    assert (report.ok, account.health) == (False, HealthState.FAILING)


def test_failures_back_off_twice_as_long_each_time_up_to_a_cap(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.faults["list"] = failing(503)
    with time_machine.travel(NOON, tick=False) as clock:
        for expected in (15, 30, 60, 120, 240, 480, 900, 900):
            assert run(account).ok is False
            assert expected * 0.8 <= wait_of(account) <= expected * 1.2 <= BACKOFF.cap_s * 1.2
            clock.shift(timedelta(hours=1))
        assert account.consecutive_failures == 8
        assert account.last_error_class == "provider.outage"
        zencoder.faults.clear()
        run(account)
    assert (account.consecutive_failures, account.health) == (0, HealthState.OK)


def test_accounts_that_fail_together_do_not_come_back_together(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.faults["list"] = unreachable
    waits = set()
    with time_machine.travel(NOON, tick=False):
        for _ in range(5):
            ProviderAccount.objects.update(consecutive_failures=0)
            end_pauses()
            run(account)
            waits.add(account.next_sync_at)
    assert len(waits) == 5


def test_a_refused_credential_stops_the_account_until_somebody_asks(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.key = "another-key"
    report = run(account)
    assert "refused the API key" in str(report.error)
    assert account.health == HealthState.REFUSED
    later = timezone.now() + timedelta(days=1)
    assert not ProviderAccount.objects.due(later).exists()
    assert sync_account(account.pk) is None  # a message that was on its way
    assert zencoder.asked["list"] == 1
    request_sync(account)
    assert ProviderAccount.objects.due(timezone.now()).get() == account


def test_the_providers_wait_is_obeyed_and_is_no_failure(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.faults["list"] = failing(429, Retry_After="130")
    with time_machine.travel(NOON, tick=False):
        assert run(account).ok
        assert wait_of(account) == 130
    assert account.health == HealthState.OK


def test_a_paused_account_is_not_polled(account: ProviderAccount, zencoder: FakeZencoder) -> None:
    ProviderAccount.objects.update(enabled=False)
    assert not ProviderAccount.objects.due(timezone.now()).exists()
    assert sync_account(account.pk) is None
    assert zencoder.asked == {}
    account.refresh_from_db()
    assert (account.lease, account.health) == (None, HealthState.PAUSED)


def test_an_account_is_due_soon_while_jobs_run_and_seldom_when_idle(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.add(1)
    with time_machine.travel(NOON, tick=False):
        run(account)
        assert wait_of(account) == IDLE_INTERVAL_S
        zencoder.add(2, "processing")
        run(account)
        assert wait_of(account) <= ACTIVE_INTERVAL_S


def test_readers_in_threads_stay_within_the_budget_and_lose_no_answer(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    account.options = {"requests_per_minute": "5", "concurrency": "3"}
    account.save()
    for number in range(1, 9):
        make_job(account, remote_id=str(number), status="running")
        zencoder.add(number)
    zencoder.faults["list"] = lambda request: (200, {"Content-Type": "application/json"}, "[]")
    before = threading.active_count()
    assert run(account).ok
    assert zencoder.asked["details"] == 5
    assert Job.objects.filter(status="succeeded").count() == 5
    assert threading.active_count() < before + 20


def test_a_pass_that_runs_out_of_time_is_no_failure(
    account: ProviderAccount, zencoder: FakeZencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(1, 151):
        zencoder.add(number)
    monkeypatch.setattr(runner, "PASS_DEADLINE_S", 1.0)
    zencoder.faults["list"] = lambda request: time.sleep(0.6)
    ProviderAccount.objects.update(imported_at=None)
    assert run(account).ok
    assert (account.consecutive_failures, account.import_cursor) == (0, "2")


def test_an_account_that_no_key_opens_waits_for_a_person_and_says_why(
    account: ProviderAccount, zencoder: FakeZencoder, settings: Settings
) -> None:
    settings.CREDENTIALS_KEYS = ["a-new-key-after-the-old-one-was-lost"]
    report = sync_account(account.pk)
    assert report is not None
    assert "CREDENTIALS_KEYS" in str(report.error)
    kept = ProviderAccount.objects.get()
    assert (kept.health, kept.last_error_message) == (HealthState.REFUSED, report.error)
    assert zencoder.asked == {}
