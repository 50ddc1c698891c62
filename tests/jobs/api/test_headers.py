"""What each response says beside its body: who it is, what may still be called, what to keep."""

import re

import pytest
import time_machine
from django.core.cache import cache
from django.utils import timezone

from jobs.api.http.rate import REQUESTS_PER_MINUTE
from organizations.models import ApiToken, Organization
from tests.jobs.api.conftest import Answer, ApiClient

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
