"""What each response says beside its body: who it is, what may still be called, what to keep."""

import gzip
import re
from typing import Any

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from jobs.api.http.rate import REQUESTS_PER_MINUTE
from jobs.models import ProviderAccount
from organizations.models import ApiToken, Organization
from tests.jobs.api.conftest import Answer, ApiClient
from tests.jobs.factories import make_job

pytestmark = pytest.mark.django_db


@time_machine.travel("2026-03-14T12:00:15Z", tick=False)
def test_a_token_that_calls_too_often_waits(organization: Organization, reader: ApiClient) -> None:
    ends_at = int(timezone.now().timestamp()) + 45
    cache.set(f"api-requests-{ApiToken.objects.get().pk}-{ends_at}", REQUESTS_PER_MINUTE - 1)
    last, refused = reader.get("/jobs"), reader.get("/jobs")
    assert last.status == 200
    assert (refused.status, refused.body["error"]["code"]) == (429, "too_many_requests")
    assert refused.headers["Retry-After"] == "45"
    for answer in (last, refused):
        assert limits_in(answer) == (str(REQUESTS_PER_MINUTE), "0", str(ends_at))
    other = ApiClient(ApiToken.issue(organization, "another")[1])
    assert limits_in(other.get("/jobs"))[1] == str(REQUESTS_PER_MINUTE - 1)
    with time_machine.travel("2026-03-14T12:01:00Z", tick=False):
        assert reader.get("/jobs").status == 200


def limits_in(answer: Answer) -> tuple[str, ...]:
    names = ("Limit", "Remaining", "Reset")
    return tuple(answer.headers[f"X-RateLimit-{name}"] for name in names)


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        ("GET", "/jobs", {}, 200),
        ("POST", "/jobs", {}, 403),  # counted as well
        ("GET", "/nothing", {}, 404),
        ("GET", "/jobs", {"Authorization": "Bearer wrong"}, 401),
        ("DELETE", "/jobs", {}, 405),
        ("GET", "/jobs", {"Host": "elsewhere.example"}, 400),
    ],
)
def test_every_response_says_who_it_is_and_what_is_left(
    reader: ApiClient, method: str, path: str, sent: dict[str, str], status: int
) -> None:
    answer = reader.call(method, path, **sent, X_Request_Id="order-4711.a")
    assert answer.status == status
    assert answer.headers["X-Request-Id"] == "order-4711.a"
    is_counted = status in (200, 403)
    assert limits_in(answer)[:2] == ("6000", "5999" if is_counted else "6000")
    named = {reader.get("/jobs", X_Request_Id="a b\n").headers["X-Request-Id"] for _ in range(2)}
    assert len(named) == 2
    assert all(re.fullmatch("[0-9a-f]{32}", name) for name in named)


def test_a_host_that_is_not_ours_is_refused_in_json(reader: ApiClient) -> None:
    answer = reader.get("/jobs", Host="elsewhere.example")
    assert (answer.status, answer.body["error"]["code"]) == (400, "bad_host")


def test_what_has_not_changed_is_not_sent_again(
    reader: ApiClient, account: ProviderAccount
) -> None:
    job = make_job(account)
    first = raw(reader, f"/jobs/{job.pk}")
    assert first["Cache-Control"] == "private, no-cache"
    assert "Authorization" in first["Vary"]
    again = raw(reader, f"/jobs/{job.pk}", If_None_Match=first["ETag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again["X-RateLimit-Remaining"] == "5998"
    job.name = "renamed.mov"
    job.save()
    changed = raw(reader, f"/jobs/{job.pk}", If_None_Match=first["ETag"])
    assert (changed.status_code, changed.json()["name"]) == (200, "renamed.mov")


def test_what_is_no_plain_success_is_kept_by_nobody(reader: ApiClient) -> None:
    for answer in (reader.get("/jobs/1"), reader.post("/jobs", {})):
        assert "no-store" in answer.headers["Cache-Control"]
        assert "ETag" not in answer.headers


def test_long_lists_are_compressed_for_those_who_ask(
    reader: ApiClient, account: ProviderAccount
) -> None:
    for number in range(50):
        make_job(account, name=f"clip-{number}.mov")
    plain = raw(reader, "/jobs")
    packed = raw(reader, "/jobs", Accept_Encoding="gzip")
    assert gzip.decompress(packed.content) == plain.content
    assert len(packed.content) * 5 < len(plain.content)
    assert "Accept-Encoding" in packed["Vary"]
    unchanged = raw(reader, "/jobs", Accept_Encoding="gzip", If_None_Match=packed["ETag"])
    assert unchanged.status_code == 304
    page = reader.client.get("/accounts/login/", headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in page


@pytest.mark.parametrize(
    "path", ["/jobs", "/jobs/{job}", "/accounts", "/openapi.json", "/docs", "/jobs/0"]
)
def test_head_answers_as_get_without_the_body(
    reader: ApiClient, account: ProviderAccount, path: str
) -> None:
    path = path.format(job=make_job(account).pk)
    full, bare = raw(reader, path), raw(reader, path, method="HEAD")
    assert (bare.status_code, bare.content) == (full.status_code, b"")
    for name in ("Content-Type", "Content-Length", "ETag"):
        assert bare.get(name) == full.get(name)


def test_pages_of_allowed_origins_may_call_without_cookies(
    reader: ApiClient, settings: Any
) -> None:
    settings.CORS_ALLOWED_ORIGINS = ["https://tools.example"]
    asked = {"Access-Control-Request-Method": "POST"}
    preflight = raw(reader, "/jobs", method="OPTIONS", Origin="https://tools.example", **asked)
    assert preflight.status_code == 200
    assert preflight["X-RateLimit-Remaining"] == str(REQUESTS_PER_MINUTE)
    assert re.fullmatch("[0-9a-f]{32}", preflight["X-Request-Id"])
    allowed = preflight["Access-Control-Allow-Headers"].split(", ")
    assert {"authorization", "idempotency-key", "if-none-match"} <= set(allowed)
    for path in ("/jobs", "/jobs/0"):
        response = raw(reader, path, Origin="https://tools.example")
        assert response["Access-Control-Allow-Origin"] == "https://tools.example"
        assert "X-RateLimit-Remaining" in response["Access-Control-Expose-Headers"]
        assert "Access-Control-Allow-Credentials" not in response
        assert "Access-Control-Allow-Origin" not in raw(reader, path, Origin="https://x.example")
    tag = raw(reader, "/jobs")["ETag"]
    unchanged = raw(reader, "/jobs", Origin="https://tools.example", If_None_Match=tag)
    assert unchanged.status_code == 304
    assert "Access-Control-Allow-Origin" in unchanged
    page = reader.client.get("/accounts/login/", headers={"Origin": "https://tools.example"})
    assert "Access-Control-Allow-Origin" not in page


def raw(reader: ApiClient, path: str, method: str = "GET", **headers: str) -> Any:
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return reader.client.generic(method, f"/api/v1{path}", headers={**reader.headers, **sent})
