"""An account is saved with new credentials while a pass is still using the old ones."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event

import pytest
import requests
from django.db import connections
from django.utils import timezone

from jobs.accounts.service import CheckResult, CheckStatus, write_account
from jobs.accounts.validation import AccountInput
from jobs.models import HealthState, Job, ProviderAccount
from jobs.sync.report import Report
from jobs.sync.runner import sync_account
from tests.jobs.fake_zencoder import FakeZencoder
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.django_db(transaction=True)

NEW = "key-of-tomorrow"


@contextmanager
def pass_in_flight(
    account: ProviderAccount, zencoder: FakeZencoder
) -> Iterator["Future[Report | None]"]:
    """A pass in another thread, whose first request is answered at the end."""
    arrived, may_go_on = Event(), Event()

    def hold(request: requests.PreparedRequest) -> None:
        if not arrived.is_set():
            arrived.set()
            zencoder.lock.release()  # other requests are answered meanwhile
            may_go_on.wait(PATIENCE_S)
            zencoder.lock.acquire()

    def run() -> Report | None:
        try:
            return sync_account(account.pk)
        finally:
            connections.close_all()

    zencoder.faults["list"] = hold
    with ThreadPoolExecutor(1) as pool:
        report = pool.submit(run)
        try:
            assert arrived.wait(PATIENCE_S)
            yield report
        finally:
            may_go_on.set()


def save(account: ProviderAccount, key: str, status: CheckStatus) -> None:
    values = AccountInput(
        account.organization, account.provider, account.name, credentials={"api_key": key}
    )
    write_account(values, CheckResult(status), user=None)


def test_a_pass_that_is_refused_with_the_old_key_says_nothing_about_the_new_one(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    with pass_in_flight(account, zencoder) as future:
        save(account, NEW, CheckStatus.ACCEPTED)
        zencoder.key = NEW
        account.refresh_from_db()
        due_at = account.next_sync_at
    report = future.result()
    assert report
    assert report.ok is False
    account.refresh_from_db()
    assert (account.health, account.last_error_message) == (HealthState.OK, "")
    assert (account.lease, account.next_sync_at) == (None, due_at)


def test_a_pass_that_works_with_the_old_key_does_not_confirm_the_new_one(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.add(71)
    with pass_in_flight(account, zencoder):
        save(account, NEW, CheckStatus.UNANSWERED)
    account.refresh_from_db()
    assert account.health == HealthState.UNCHECKED
    assert not Job.objects.exists()  # nor is what it read written any more


def test_the_next_pass_begins_at_once_with_the_new_key(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.add(71)
    with pass_in_flight(account, zencoder):
        save(account, NEW, CheckStatus.ACCEPTED)
        zencoder.key = NEW
        assert ProviderAccount.objects.due(timezone.now()).exists()
        report = sync_account(account.pk)
        assert report
        assert report.ok
        account.refresh_from_db()
        before = account.last_success_at, account.next_sync_at
    account.refresh_from_db()
    assert account.health == HealthState.OK
    assert (account.last_success_at, account.next_sync_at) == before
