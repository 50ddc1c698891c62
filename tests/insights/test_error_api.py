"""`/errors` in the REST API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.models import GroupState, JobErrorGroup, ProviderAccount
from organizations.models import ApiToken, AuditEntry, Organization, Scope
from tests.jobs.api.conftest import ApiClient, make_client
from tests.jobs.factories import NOON, make_account, make_job


@pytest.fixture
def group(account: ProviderAccount) -> JobErrorGroup:
    job = make_job(account, status="failed", error_message="No file a/1.mov")
    make_job(account, status="failed", error_message="No file b/2.mov", resolved_by=job)
    make_job(account, status="failed", error_message="Other", error_class="input.corrupt")
    assert job.error_group is not None
    return job.error_group


@pytest.fixture
def client(studio: Organization) -> ApiClient:
    return make_client(studio, Scope.OPERATE)


def test_lists_and_reads_groups_with_their_figures(
    client: ApiClient, group: JobErrorGroup, account: ProviderAccount
) -> None:
    listed = client.call("GET", "/errors?limit=1")
    assert (listed.status, len(listed.body["results"])) == (200, 1)
    assert client.call("GET", f"/errors?cursor={listed.body['next']}").body["next"] is None
    found = client.call("GET", f"/errors/{group.pk}").body
    url = found.pop("html_url")
    assert url.endswith(f"/o/harbour-studio/errors/{group.pk}/")
    hint = found.pop("hint")
    assert hint.startswith("Check the URL")
    assert found == {
        "id": str(group.pk),
        "class": "input.not_found",
        "title": "Source not found",
        "message": "No file <path>",
        "state": "open",
        "new": False,
        "returned": False,
        "jobs": 2,
        "unresolved": 1,
        "providers": ["zencoder"],
        "accounts": [{"id": str(account.pk), "name": "EU main", "provider": "zencoder"}],
        "first_seen_at": "2026-03-14T12:05:00.000Z",
        "last_seen_at": "2026-03-14T12:05:00.000Z",
        "transient": False,
        "mute_reason": None,
        "muted_until": None,
        "assignee": None,
    }
    job = client.call("GET", f"/jobs?error_group={group.pk}").body["results"][0]
    assert client.call("GET", f"/jobs/{job['id']}").body["error_group"] == str(group.pk)


def test_a_token_of_one_account_counts_and_sees_that_alone(
    studio: Organization, group: JobErrorGroup, account: ProviderAccount
) -> None:
    elsewhere = make_account(studio)
    make_job(elsewhere, status="failed", error_message="No file c/3.mov")
    hidden = make_job(account, status="failed", error_message="Hidden").error_group
    assert hidden is not None
    token, text = ApiToken.issue(studio, "narrow", Scope.OPERATE)
    ApiToken.objects.filter(pk=token.pk).update(account_ids=[elsewhere.pk])
    narrow = ApiClient(text)
    assert [one["jobs"] for one in narrow.call("GET", "/errors").body["results"]] == [1]
    assert narrow.call("GET", f"/errors/{hidden.pk}").status == 404
    assert narrow.call("POST", f"/errors/{hidden.pk}/resolve").status == 404
    # it has a job of the other account as well, whose people would miss it
    for call, body in (("mute", {"reason": "Known"}), ("resolve", None), ("reopen", None)):
        assert narrow.call("POST", f"/errors/{group.pk}/{call}", body).status == 403
    own = make_job(elsewhere, status="failed", error_message="Its own").error_group
    assert own is not None
    assert narrow.call("POST", f"/errors/{own.pk}/resolve").status == 200


def test_mutes_resolves_and_reopens(client: ApiClient, group: JobErrorGroup) -> None:
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    for call, body, state in (
        ("mute", {"reason": "Known", "until": until}, GroupState.MUTED),
        ("resolve", None, GroupState.RESOLVED),
        ("resolve", None, GroupState.RESOLVED),
        ("reopen", None, GroupState.OPEN),
        ("mute", {"reason": "Known", "count": 3}, GroupState.MUTED),
    ):
        answer = client.call("POST", f"/errors/{group.pk}/{call}", body)
        assert (answer.status, answer.body["state"]) == (200, state)
    actions = list(AuditEntry.objects.order_by("pk").values_list("action", flat=True))
    assert actions == [f"error_group.{name}" for name in ("muted", "resolved", "reopened", "muted")]
    JobErrorGroup.objects.filter(pk=group.pk).update(state="resolved", resolved_at=NOON)
    refused = client.call("POST", f"/errors/{group.pk}/mute", {"reason": "Known"})
    assert (refused.status, refused.body["error"]["code"]) == (409, "resolved")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "reason"),
        ({"reason": " "}, "reason"),
        ({"reason": "x", "count": 0}, "count"),
        ({"reason": "x", "until": "2020-01-01T00:00:00Z"}, "until"),
        ({"reason": "x", "until": "soon"}, "until"),
        ({"reason": "x", "count": 1, "rate_per_hour": 2}, "rate_per_hour"),
        ({"reason": "x", "forever": True}, "forever"),
    ],
)
def test_a_mute_that_cannot_be_meant_is_refused(
    client: ApiClient, group: JobErrorGroup, body: dict[str, Any], field: str
) -> None:
    answer = client.call("POST", f"/errors/{group.pk}/mute", body)
    assert (answer.status, list(answer.body["error"]["fields"])) == (422, [field])
    assert not AuditEntry.objects.exists()
