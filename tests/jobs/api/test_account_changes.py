"""Accounts that a script adds and changes, with a token of the scope manage."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import responses

from jobs.models import ProviderAccount
from organizations.models import ApiToken, AuditEntry, Organization, Scope
from tests.factories import make_organization
from tests.jobs.api.conftest import ApiClient, make_client
from tests.jobs.factories import NOON, make_account

pytestmark = pytest.mark.django_db

API = "https://app.zencoder.com/api/v2"
EAST = {"provider": "zencoder", "name": "East", "credentials": {"api_key": "canary-123456"}}


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def manager(organization: Organization) -> ApiClient:
    return make_client(organization, Scope.MANAGE)


def test_an_account_is_added_and_its_secret_returned_nowhere(
    manager: ApiClient, wire: responses.RequestsMock
) -> None:
    wire.get(f"{API}/account", json={"plan": "Studio"})
    made = manager.post("/accounts", {**EAST, "options": {"interval_s": 9.0, "concurrency": "2"}})
    account = ProviderAccount.objects.get()
    assert (made.status, made.headers["Location"]) == (201, f"/api/v1/accounts/{account.pk}")
    assert (made.body["name"], made.body["health"]["state"]) == ("East", "ok")
    assert made.body["warnings"] == []
    assert f"/hooks/zencoder/{account.pk}/{account.hook_secret}/" in made.body["webhook_url"]
    assert account.credentials == {"api_key": "canary-123456"}
    assert account.options == {"interval_s": "9", "concurrency": "2"}

    entry = AuditEntry.objects.values().get(action="account.added")
    assert (entry["actor_name"], entry["before"]) == ("token:manage token", {})
    assert entry["after"]["base_url"] == API
    assert entry["details"]["credentials"] == ["api_key"]
    for text in (str(made.body), str(entry), str(manager.get("/accounts").body)):
        assert "canary" not in text
    assert account.hook_secret not in str(manager.get(f"/accounts/{account.pk}").body)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"provider": "nobody"}, "provider"),
        ({"name": ""}, "name"),
        ({"name": "main"}, "name"),
        ({"name": "a\u0000b"}, "name"),
        ({"base_url": "ftp://x"}, "base_url"),
        ({"credentials": {}}, "credentials.api_key"),
        ({"credentials": {"api_key": "k", "token": "t"}}, "credentials.token"),
        ({"provider": "xvid", "name": "main", "credentials": {"token": "t"}}, "name"),
        ({"options": {"interval_s": "often"}}, "options.interval_s"),
        ({"options": {"colour": "red"}}, "options.colour"),
        ({"options": {"interval_s": True}}, "options.interval_s"),
        ({"label": "East"}, "label"),
    ],
)
def test_what_cannot_be_an_account_is_named_and_nothing_is_saved(
    manager: ApiClient, account: ProviderAccount, body: dict[str, Any], field: str
) -> None:
    assert manager.post("/accounts", {**EAST, **body}).fields.keys() == {field}
    assert ProviderAccount.objects.get() == account


def test_refused_credentials_are_a_422_and_no_answer_is_a_warning(
    manager: ApiClient, wire: responses.RequestsMock
) -> None:
    refused = wire.get(f"{API}/account", status=401, json={"errors": ["Invalid API key"]})
    assert "credentials.api_key" in manager.post("/accounts", EAST).fields
    assert not ProviderAccount.objects.exists()
    wire.replace(responses.Response("GET", f"{API}/account", status=503, json={}))
    assert refused.call_count == 1
    made = manager.post("/accounts", EAST)
    assert (made.status, made.body["health"]["state"]) == (201, "unchecked")
    assert "could not be checked yet" in made.body["warnings"][0]


def test_the_same_account_under_another_name_is_a_warning(
    manager: ApiClient, organization: Organization, wire: responses.RequestsMock
) -> None:
    wire.get(f"{API}/account", json={"plan": "Studio"})
    make_account(make_organization("away"), name="Far away", credentials=EAST["credentials"])
    first = manager.post("/accounts", EAST)
    assert first.body["warnings"] == []
    again = manager.post("/accounts", {**EAST, "name": "Again"})
    assert (again.status, len(again.body["warnings"])) == (201, 1)
    assert "the same Zencoder account as “East”" in again.body["warnings"][0]
    key = {"credentials": {"api_key": "canary-123456"}}
    changed = manager.call("PATCH", f"/accounts/{first.body['id']}", key)
    assert "as “Again”" in changed.body["warnings"][0]
    # a token that sees one of them alone
    narrow = ApiToken.issue(
        organization, "narrow", Scope.MANAGE, account_ids=[int(first.body["id"])]
    )[1]
    changed = ApiClient(narrow).call("PATCH", f"/accounts/{first.body['id']}", key)
    assert (changed.status, changed.body["warnings"]) == (200, [])


def test_an_account_is_paused_resumed_and_changed(
    manager: ApiClient, account: ProviderAccount, wire: responses.RequestsMock
) -> None:
    path = f"/accounts/{account.pk}"
    for _ in range(2):
        paused = manager.call("PATCH", path, {"enabled": False})
        assert (paused.status, paused.body["health"]["state"]) == (200, "paused")
    assert AuditEntry.objects.filter(action="account.paused").count() == 1

    changed = manager.call("PATCH", path, {"options": {"interval_s": "30"}, "enabled": True})
    assert (changed.status, changed.body["enabled"]) == (200, True)
    entry = AuditEntry.objects.get(action="account.changed")
    assert entry.before == {"enabled": False, "options": {}}
    assert entry.after == {"enabled": True, "options": {"interval_s": "30"}}

    moved = manager.call("PATCH", path, {"base_url": "https://elsewhere.example/api/v2"})
    assert "credentials.api_key" in moved.fields
    assert "name" in manager.call("PATCH", path, {"name": "West"}).fields

    for key in ("another-key", "another-key"):
        again = {"options": {"interval_s": "30"}, "credentials": {"api_key": key}}
        assert manager.call("PATCH", path, again).status == 200
    entry = AuditEntry.objects.filter(action="account.changed").latest("pk")
    assert (entry.before, entry.after) == ({}, {})
    assert entry.details == {"provider": "zencoder", "credentials": ["api_key"]}
    assert AuditEntry.objects.filter(action="account.changed").count() == 2
    assert manager.call("PATCH", path, {}).status == 200


def test_credentials_are_checked(
    manager: ApiClient, organization: Organization, wire: responses.RequestsMock
) -> None:
    account = make_account(organization, refused_at=NOON)
    path = f"/accounts/{account.pk}/check"
    answers = []
    for status in (401, 503, 200):
        wire.upsert("GET", f"{API}/account", status=status, json={"plan": "Studio"})
        answers.append(manager.post(path))
    assert [answer.status for answer in answers] == [200, 200, 200]
    assert [answer.body["status"] for answer in answers] == ["refused", "unanswered", "accepted"]
    assert [answer.body["message"] is None for answer in answers] == [False, False, True]
    account.refresh_from_db()
    assert account.refused_at is None


def test_integration_mode_is_switched(
    manager: ApiClient, account: ProviderAccount, wire: responses.RequestsMock
) -> None:
    wire.put(f"{API}/account/integration", status=204)
    path = f"/accounts/{account.pk}/integration"
    switched = manager.call("PUT", path, {"enabled": True})
    assert (switched.status, switched.body) == (200, {"enabled": True})
    entry = AuditEntry.objects.get(action="account.integration_mode_switched")
    assert (entry.actor_name, entry.details["mode"]) == ("token:manage token", "on")
    assert "enabled" in manager.call("PUT", path, {"enabled": "on"}).fields

    wire.upsert("PUT", f"{API}/account/integration", status=401, json={})
    refused = manager.call("PUT", path, {"enabled": True})
    assert (refused.status, refused.body["error"]["code"]) == (409, "provider_refused")
    wire.upsert("PUT", f"{API}/account/integration", status=503, json={})
    failed = manager.call("PUT", path, {"enabled": True})
    assert (failed.status, failed.headers["Retry-After"]) == (503, "30")


def test_what_a_provider_does_not_have_is_a_conflict(
    manager: ApiClient, organization: Organization
) -> None:
    account = make_account(organization, provider="xvid")
    answer = manager.call("PUT", f"/accounts/{account.pk}/integration", {"enabled": True})
    assert (answer.status, answer.body["error"]["code"]) == (409, "not_supported")


def test_a_token_that_is_restricted_to_accounts_adds_none(
    organization: Organization, account: ProviderAccount
) -> None:
    _, text = ApiToken.issue(organization, "ours", Scope.MANAGE, account_ids=[account.pk])
    answer = ApiClient(text).post("/accounts", EAST)
    assert (answer.status, answer.body["error"]["code"]) == (403, "forbidden")
    assert "restricted" in json.dumps(answer.body)
    assert ProviderAccount.objects.count() == 1
