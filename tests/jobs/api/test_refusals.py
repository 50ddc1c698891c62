"""Whoever may not, or asks for what is not there, gets an answer in one shape of JSON."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import JobAction, ProviderAccount
from organizations.models import ApiToken, Organization
from tests.jobs.api.conftest import ApiClient
from tests.jobs.factories import make_body, make_job

pytestmark = pytest.mark.django_db

READS = ["/jobs/{job}", "/jobs/{job}/raw", "/accounts/{account}"]
WRITES = ["/jobs/{job}/cancel", "/jobs/{job}/resubmit", "/accounts/{account}/sync"]
SUBMISSION = {
    "account": "main",
    "input": "https://media.example.com/in.mov",
    "renditions": [{"packaging": "mp4", "heights": [360]}],
}


@pytest.fixture
def ids(account: ProviderAccount) -> dict[str, int]:
    job = make_job(account, status="failed")
    make_body(job, {"state": "failed"})
    return {"job": job.pk, "account": account.pk}


@pytest.mark.parametrize("path", READS)
def test_a_stranger_reads_nothing(
    reader: ApiClient, stranger: ApiClient, ids: dict[str, int], path: str
) -> None:
    assert reader.get(path.format(**ids)).status == 200
    foreign = stranger.get(path.format(**ids))
    none = stranger.get(path.format(job=10**12, account=10**12))
    assert foreign.status == 404
    assert foreign.body == none.body


@pytest.mark.parametrize("path", WRITES)
def test_a_stranger_changes_nothing(
    stranger: ApiClient, ids: dict[str, int], account: ProviderAccount, path: str
) -> None:
    due_at = account.next_sync_at
    assert stranger.post(path.format(**ids)).status == 404
    account.refresh_from_db(fields=["next_sync_at"])
    assert account.next_sync_at == due_at
    assert not JobAction.objects.exists()


def test_a_stranger_lists_nothing(stranger: ApiClient, ids: dict[str, int]) -> None:
    assert stranger.get("/jobs").body == {"results": [], "next": None}
    assert stranger.get("/accounts").body == {"results": [], "next": None}


@pytest.mark.parametrize("name", ["main", "id"])
def test_a_stranger_submits_nothing_to_our_account(
    stranger: ApiClient, account: ProviderAccount, name: str
) -> None:
    reference = str(account.pk) if name == "id" else name
    assert "account" in stranger.post("/jobs", SUBMISSION | {"account": reference}).fields
    assert not account.jobs.exists()


@pytest.mark.parametrize("path", ["/jobs", *WRITES])
def test_a_token_that_may_read_changes_nothing(
    reader: ApiClient, ids: dict[str, int], path: str
) -> None:
    answer = reader.post(path.format(**ids), SUBMISSION if path == "/jobs" else None)
    assert (answer.status, answer.body["error"]["code"]) == (403, "forbidden")


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer rb_wrong", "Basic YTpi", "ä"])
def test_without_a_token_there_is_nothing(ids: dict[str, int], header: str) -> None:
    for path in ("/jobs", "/accounts", *READS):
        answer = ApiClient().get(path.format(**ids), Authorization=header)
        assert (answer.status, answer.body["error"]["code"]) == (401, "not_authenticated")
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    for path in ("/jobs", *WRITES):
        assert ApiClient().post(path.format(**ids), Authorization=header).status == 401


def test_a_token_that_was_ended_opens_nothing(organization: Organization) -> None:
    revoked, text = ApiToken.issue(organization, "old")
    revoked.revoke()
    past = timezone.now() - timedelta(seconds=1)
    _, expired = ApiToken.issue(organization, "short", expires_at=past)
    assert ApiClient(text).get("/jobs").status == 401
    assert ApiClient(expired).get("/jobs").status == 401


@pytest.mark.parametrize(
    "path",
    ["/", "/nothing", "/jobs/", "/jobs/1/outputs", "/accounts/1/", "/docs/x", "//", "/jöbs"],
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_an_unknown_path_is_told_in_json(reader: ApiClient, path: str, method: str) -> None:
    answer = reader.call(method, path)
    assert (answer.status, answer.body["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", ["/api/", "/api/v2/jobs", "/api/jobs"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_version_of_the_api_is_refused_in_json(
    client: Client, path: str, method: str
) -> None:
    answer = client.generic(method, path)
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json; charset=utf-8")
    assert answer.json()["error"] == {
        "code": "not_found",
        "message": f"The API has no path {path}.",
    }


@pytest.mark.parametrize("text", ["abc", "0", "-1", "1.5", "9223372036854775808", "9" * 5000, "٣"])
def test_an_id_that_cannot_be_is_not_found(operator: ApiClient, text: str) -> None:
    for path in READS:
        assert operator.get(path.format(job=text, account=text)).status == 404
    for path in WRITES:
        assert operator.post(path.format(job=text, account=text)).status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/jobs", {"GET", "POST"}),
        ("PUT", "/jobs/1", {"GET"}),
        ("GET", "/jobs/1/cancel", {"POST"}),
        ("DELETE", "/accounts", {"GET", "POST"}),
    ],
)
def test_another_method_is_refused_in_json(
    reader: ApiClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = reader.call(method, path)
    assert (answer.status, answer.body["error"]["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == allowed


@pytest.mark.parametrize(
    "body", [b"{", b"", b"nul", b'{"a": NaN}', b"\xff\xfe", b"[" * 100_000, b"1" * 10_000]
)
def test_broken_json_is_refused(operator: ApiClient, account: ProviderAccount, body: bytes) -> None:
    answer = operator.post("/jobs", body)
    if body:
        assert (answer.status, answer.body["error"]["code"]) == (400, "broken_json")
    else:
        assert answer.status == 422


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]
)
def test_a_body_that_is_not_sent_as_json_is_refused(operator: ApiClient, kind: str) -> None:
    answer = operator.call("POST", "/jobs", b"account=main", content_type=kind)
    assert (answer.status, answer.body["error"]["code"]) == (415, "not_json")


def test_a_huge_body_is_refused(operator: ApiClient) -> None:
    answer = operator.post("/jobs", b'"' + b"x" * 3_000_000 + b'"')
    assert (answer.status, answer.body["error"]["code"]) == (413, "too_large")


@pytest.mark.parametrize("body", [[], "text", 5, None, True])
def test_a_body_that_is_no_object_is_refused(operator: ApiClient, body: object) -> None:
    assert operator.post("/jobs", b"null" if body is None else body).status == 422
