"""The sign of life to a watcher outside."""

from datetime import timedelta

import pytest
import requests
import responses
from django.conf import LazySettings
from django.utils import timezone

from dashboard import heartbeat
from dashboard.heartbeat import GRACE, is_syncing
from organizations.models import Organization
from tests.factories import make_organization
from tests.jobs.factories import NOON, make_account

WATCHER = "https://watch.example.com/ping/canary7d21"
LONG_AGO = NOON - timedelta(hours=2)


@pytest.fixture
def harbour(db: None) -> Organization:
    return make_organization()


@pytest.mark.django_db
def test_a_board_without_accounts_is_well() -> None:
    assert is_syncing(NOON)


def test_one_account_in_time_is_enough(harbour: Organization) -> None:
    make_account(harbour, last_success_at=LONG_AGO, consecutive_failures=9)
    assert not is_syncing(NOON)

    make_account(harbour, last_success_at=NOON - timedelta(minutes=2))
    assert is_syncing(NOON)


def test_a_paused_account_neither_counts_as_late_nor_in_time(harbour: Organization) -> None:
    make_account(harbour, enabled=False, last_success_at=LONG_AGO)
    assert is_syncing(NOON)

    make_account(harbour, last_success_at=LONG_AGO)
    make_account(harbour, enabled=False, last_success_at=NOON)
    assert not is_syncing(NOON)


def test_an_account_has_its_own_interval_beyond_the_grace(harbour: Organization) -> None:
    since = NOON - GRACE - timedelta(minutes=50)
    account = make_account(harbour, last_success_at=since, options={"idle_interval_s": "3600"})
    assert is_syncing(NOON)

    account.options = {"idle_interval_s": "60"}
    account.save(update_fields=["options"])
    assert not is_syncing(NOON)


def test_a_new_account_has_time_for_its_first_pass(harbour: Organization) -> None:
    account = make_account(harbour, last_success_at=None)

    assert is_syncing(account.created_at + timedelta(minutes=5))
    assert not is_syncing(account.created_at + timedelta(minutes=30))


@responses.activate
def test_the_watcher_is_called_while_syncing_works(
    harbour: Organization, settings: LazySettings
) -> None:
    settings.HEARTBEAT_URL = WATCHER
    watcher = responses.get(WATCHER, "ok")
    account = make_account(harbour, last_success_at=timezone.now())
    heartbeat.send()
    assert watcher.call_count == 1

    account.last_success_at = LONG_AGO
    account.save(update_fields=["last_success_at"])
    heartbeat.send()
    assert watcher.call_count == 1


@responses.activate
@pytest.mark.django_db
@pytest.mark.parametrize("answer", [requests.ConnectionError(f"no route to {WATCHER}"), None])
def test_a_watcher_that_fails_ends_nothing_and_its_url_is_not_logged(
    answer: Exception | None,
    settings: LazySettings,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings.HEARTBEAT_URL = WATCHER
    responses.get(WATCHER, answer or "busy", status=503)
    heartbeat.send()

    assert "heartbeat not delivered" in caplog.text
    assert "canary7d21" not in caplog.text
