"""Zencoder's rate limit, which is a 403, the kinds of call that each have one, and its 404."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import responses

from providers.core.contract import Account
from providers.core.errors import AuthRefused, Conflict, ProviderError, RateLimited, Withdrawn
from providers.core.status import JobStatus
from providers.core.types import JobRequest, RemoteJob
from providers.http.client import HttpClient
from providers.zencoder.adapter import Zencoder
from tests.providers.cases.zencoder import BASE_URL as BASE
from tests.providers.cases.zencoder import make_job

Call = Callable[[Zencoder], Any]

# Each call and the limit it counts against: the provider's own, one a method and resource.
CALLS: tuple[tuple[Call, tuple[str, ...]], ...] = (
    (lambda zencoder: next(zencoder.list_jobs()), ("list",)),
    (lambda zencoder: zencoder.get_job("7"), ("details", "progress")),
    (
        lambda zencoder: zencoder.refresh_job(RemoteJob("7", JobStatus.RUNNING)),
        ("progress",),
    ),
    (lambda zencoder: zencoder.submit(JobRequest("https://h/a.mov"), "k" * 32), ("submit",)),
    (lambda zencoder: zencoder.cancel("7"), ("cancel",)),
    (lambda zencoder: zencoder.resubmit("7"), ("resubmit",)),
    (lambda zencoder: zencoder.check_credentials(), ("account",)),
    (lambda zencoder: zencoder.usage(), ("account",)),
)


@pytest.fixture
def reserved() -> list[str]:
    return []


@pytest.fixture
def zencoder(reserved: list[str]) -> Iterator[Zencoder]:
    with HttpClient(allow_private_addresses=False, reserve=reserved.append) as http:
        yield Zencoder(Account(BASE, {"api_key": "canary-full-access-key"}), http)


def answer_everything(wire: responses.RequestsMock, **answer: Any) -> None:
    for method in ("GET", "POST", "PUT"):
        wire.add(method, re.compile(re.escape(BASE)), **answer)


def test_each_call_counts_against_the_limit_of_its_kind(
    zencoder: Zencoder, wire: responses.RequestsMock, reserved: list[str]
) -> None:
    wire.get(f"{BASE}/jobs", json=[])
    answer_everything(wire, json=make_job(7, state="processing"))
    for call, buckets in CALLS:
        reserved.clear()
        call(zencoder)
        assert tuple(reserved) == buckets


def test_the_limits_are_those_of_the_provider() -> None:
    assert {limit.bucket: limit.per_minute for limit in Zencoder.rate_limits} == {
        "list": 60,
        "details": 60,
        "cancel": 60,
        "resubmit": 60,
        "submit": 1000,
        "progress": 5000,
        "account": 5000,
        "mode": 60,
    }


def test_a_pass_can_reserve_what_reading_a_job_sends() -> None:
    assert Zencoder.read_buckets == CALLS[1][1]
    assert Zencoder.refresh_buckets == CALLS[2][1]


def test_the_list_goes_back_two_months() -> None:
    assert Zencoder.history_days == 60


@pytest.mark.parametrize("number", range(len(CALLS)))
@pytest.mark.parametrize(
    ("headers", "body", "wait_s"),
    [
        ({"Retry-After": "23"}, "403 Forbidden (Rate Limit Exceeded)", 23),
        ({"Retry-After": "23"}, "", 23),
        ({"Retry-After": "soon"}, "Forbidden", None),
        ({}, "403 Forbidden (Rate Limit Exceeded)", None),
    ],
)
def test_a_rate_limit_is_reported_by_header_or_message_whatever_was_called(
    zencoder: Zencoder,
    wire: responses.RequestsMock,
    number: int,
    headers: dict[str, str],
    body: str,
    wait_s: float | None,
) -> None:
    answer_everything(wire, body=body, status=403, headers=headers, content_type="text/plain")
    with pytest.raises(RateLimited) as caught:
        CALLS[number][0](zencoder)
    assert (caught.value.wait_s, caught.value.transient) == (wait_s, True)


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_any_other_403_is_a_refusal(
    zencoder: Zencoder, wire: responses.RequestsMock, number: int
) -> None:
    answer_everything(wire, json={"errors": ["This key may not do that."]}, status=403)
    call, buckets = CALLS[number]
    expected: type[ProviderError] = Conflict if buckets == ("resubmit",) else AuthRefused
    with pytest.raises(expected):
        call(zencoder)


@pytest.mark.parametrize("status", [404, 410])
@pytest.mark.parametrize(("call", "buckets"), CALLS)
def test_a_web_page_does_not_mean_that_a_job_is_gone(
    zencoder: Zencoder, wire: responses.RequestsMock, call: Call, buckets: object, status: int
) -> None:
    page = "<!DOCTYPE html><title>Nothing here</title>"
    for method in ("GET", "POST", "PUT"):
        wire.add(
            method,
            re.compile(f"{re.escape(BASE)}/.*"),
            body=page,
            status=status,
            content_type="text/html; charset=utf-8",
        )
    with pytest.raises(Withdrawn) as caught:
        call(zencoder)
    assert caught.value.code == str(status)
