"""Accounts: their health in words, and syncing them now."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from jobs.models import ProviderAccount
from organizations.models import Organization
from tests.jobs.api.conftest import ApiClient
from tests.jobs.factories import NOON, make_account

pytestmark = pytest.mark.django_db


def test_an_account(reader: ApiClient, account: ProviderAccount) -> None:
    ProviderAccount.objects.update(next_sync_at=NOON, latency_ms=212, rate_remaining=57)
    body = reader.get(f"/accounts/{account.pk}").body
    assert "submit" in body["capabilities"]
    assert body == {
        "id": str(account.pk),
        "organization": "north",
        "provider": "zencoder",
        "name": "main",
        "base_url": "https://app.zencoder.com/api/v2",
        "enabled": True,
        "capabilities": sorted(body["capabilities"]),
        "health": {
            "state": "ok",
            "late": False,
            "last_success_at": "2026-03-14T12:00:00.000Z",
            "last_error": None,
            "consecutive_failures": 0,
            "latency_ms": 212,
            "rate_remaining": 57,
        },
        "notice": None,
        "next_sync_at": "2026-03-14T12:00:00.000Z",
    }


def test_an_account_that_fails_says_why(reader: ApiClient, account: ProviderAccount) -> None:
    ProviderAccount.objects.update(
        consecutive_failures=3,
        last_error_class="provider.outage",
        last_error_message="The provider failed on GET app.zencoder.com/jobs (503).",
        last_error_at=NOON,
    )
    health = reader.get(f"/accounts/{account.pk}").body["health"]
    assert (health["state"], health["consecutive_failures"]) == ("failing", 3)
    assert health["last_error"] == {
        "class": "provider.outage",
        "message": "The provider failed on GET app.zencoder.com/jobs (503).",
        "at": "2026-03-14T12:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("fields", "state"),
    [({"enabled": False, "refused_at": NOON}, "paused"), ({"refused_at": NOON}, "refused")],
)
def test_health_names_what_stops_an_account(
    reader: ApiClient, organization: Organization, fields: dict[str, Any], state: str
) -> None:
    account = make_account(organization, **fields)
    assert reader.get(f"/accounts/{account.pk}").body["health"]["state"] == state


def test_accounts_are_listed_by_name_in_two_queries(
    reader: ApiClient, organization: Organization, django_assert_num_queries: Any
) -> None:
    for name in ("c", "a", "b"):
        make_account(organization, name=name)
    reader.get("/accounts")
    with django_assert_num_queries(2):
        body = reader.get("/accounts").body
    assert [account["name"] for account in body["results"]] == ["a", "b", "c"]
    assert body["next"] is None


def test_accounts_are_narrowed_by_provider_state_and_pause(
    reader: ApiClient, organization: Organization, django_assert_num_queries: Any
) -> None:
    make_account(organization, name="ok")
    make_account(organization, name="failing", consecutive_failures=2)
    make_account(organization, name="refused", refused_at=NOON, provider="xvid")
    make_account(organization, name="paused", enabled=False, consecutive_failures=2)

    def found(query: str) -> list[str]:
        return [account["name"] for account in reader.get(f"/accounts?{query}").body["results"]]

    assert found("state=ok&state=refused") == ["ok", "refused"]
    assert found("enabled=true&provider=zencoder") == ["failing", "ok"]
    assert found("enabled=false") == found("state=paused") == ["paused"]
    assert found("state=failing&provider=xvid") == []
    with django_assert_num_queries(3):
        found("state=ok&provider=xvid&provider=zencoder")
    for query in ("state=late", "enabled=no", "provider=nobody", "sort=name"):
        assert list(reader.get(f"/accounts?{query}").fields) == [query.partition("=")[0]]


def test_no_secret_of_an_account_is_told(reader: ApiClient, organization: Organization) -> None:
    account = make_account(
        organization, credentials={"api_key": "canary-key"}, hook_secret="canary-hook"
    )
    for path in ("/accounts", f"/accounts/{account.pk}"):
        assert "canary" not in str(reader.get(path).body)


def test_sync_of_a_paused_account_is_a_conflict(
    operator: ApiClient, organization: Organization
) -> None:
    account = make_account(organization, enabled=False, refused_at=NOON)
    answer = operator.post(f"/accounts/{account.pk}/sync")
    assert (answer.status, answer.body["error"]["code"]) == (409, "paused")
    account.refresh_from_db()
    assert account.refused_at == NOON


def test_sync_now_makes_it_due_and_forgets_the_refusal(
    operator: ApiClient, account: ProviderAccount
) -> None:
    ProviderAccount.objects.update(
        next_sync_at=timezone.now() + timedelta(hours=1), refused_at=NOON
    )
    answer = operator.post(f"/accounts/{account.pk}/sync")
    account.refresh_from_db()
    assert (answer.status, answer.body["health"]["state"]) == (202, "ok")
    assert account.next_sync_at <= timezone.now()
