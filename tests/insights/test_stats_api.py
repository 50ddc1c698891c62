"""`/stats` in the REST API."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jobs.models import ProviderAccount
from organizations.models import ApiToken, Organization, Scope
from tests.jobs.api.conftest import ApiClient, make_client
from tests.jobs.factories import make_account, make_job, make_output

DAY = "/stats?from=2026-03-14&to=2026-03-15&group=day"


@pytest.fixture
def client(studio: Organization) -> ApiClient:
    return make_client(studio, Scope.READ)


@pytest.fixture
def ended(account: ProviderAccount) -> None:
    for status in ("succeeded", "succeeded", "failed", "cancelled", "running"):
        make_output(make_job(account, status=status), duration_ms=1_000)


@pytest.mark.usefixtures("ended")
def test_counts_jobs_by_how_they_ended(client: ApiClient) -> None:
    found = client.get(DAY).body
    bucket = found["buckets"][0]
    wait, run = bucket.pop("wait_ms"), bucket.pop("run_ms")
    assert found == {
        "from": "2026-03-13T23:00:00.000Z",
        "to": "2026-03-14T23:00:00.000Z",
        "complete": True,
        "buckets": [
            {
                "at": "2026-03-13T23:00:00.000Z",
                "succeeded": 2,
                "failed": 1,
                "cancelled": 1,
                "output_ms": 4_000,
            }
        ],
    }
    assert wait == {
        "p50": pytest.approx(20_000, rel=0.05),
        "p95": pytest.approx(20_000, rel=0.05),
    }
    assert run["p95"] == pytest.approx(280_000, rel=0.05)


@pytest.mark.usefixtures("ended")
def test_hours_without_jobs_are_there_too(client: ApiClient) -> None:
    buckets = client.get("/stats?from=2026-03-14T11:30:00Z&to=2026-03-14T13:30:00Z").body["buckets"]
    assert [bucket["at"][11:16] for bucket in buckets] == ["11:00", "12:00", "13:00"]
    assert [bucket["succeeded"] for bucket in buckets] == [0, 2, 0]
    assert buckets[0]["wait_ms"] == {"p50": None, "p95": None}


@pytest.mark.usefixtures("ended")
@pytest.mark.parametrize(
    ("q", "counted"), [("status:failed", 1), ("error:input.*", 1), ("episode", 4), ("x y", 0)]
)
def test_a_query_narrows_it(client: ApiClient, q: str, counted: int) -> None:
    (bucket,) = client.get(f"{DAY}&q={q}").body["buckets"]
    assert bucket["succeeded"] + bucket["failed"] + bucket["cancelled"] == counted


@pytest.mark.usefixtures("ended")
def test_a_token_of_one_account_counts_that_alone(studio: Organization) -> None:
    elsewhere = make_account(studio)
    make_job(elsewhere)
    token, text = ApiToken.issue(studio, "narrow", Scope.READ)
    ApiToken.objects.filter(pk=token.pk).update(account_ids=[elsewhere.pk])
    assert ApiClient(text).get(DAY).body["buckets"][0]["succeeded"] == 1


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ("days=3", ["days"]),
        ("account=main", ["account"]),
        ("from=soon&to=later", ["from", "to"]),
        ("from=", ["from"]),
        ("group=hour&from=90d", ["from"]),
        ("group=month", ["group"]),
        ("q=nonsense:", ["q"]),
        ("q=x&q=y", ["q"]),
    ],
)
def test_what_would_not_be_used_as_sent_is_refused(
    client: ApiClient, query: str, fields: list[str]
) -> None:
    assert sorted(client.get(f"/stats?{query}").fields) == fields


def test_by_default_it_is_of_the_last_seven_days(client: ApiClient) -> None:
    found: Any = client.get("/stats").body
    to = datetime.fromisoformat(found["to"])
    assert to - datetime.fromisoformat(found["from"]) == timedelta(days=7)
    assert abs(datetime.now(UTC) - to) < timedelta(minutes=1)
    assert len(found["buckets"]) == 8
