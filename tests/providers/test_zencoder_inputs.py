"""How much of its input a job has fetched, from Zencoder's calls about inputs."""

from typing import Any

import pytest
import responses

from providers.core.contract import Account
from providers.core.errors import RateLimited
from providers.core.types import RemoteJob
from providers.http.client import HttpClient
from providers.zencoder.adapter import Zencoder
from tests.providers.cases.zencoder import BASE_URL as BASE
from tests.providers.cases.zencoder import make_job

SOURCE = {"id": 91, "state": "processing", "url": "s3://rushes/reel.mov"}


@pytest.fixture
def zencoder(http: HttpClient) -> Zencoder:
    return Zencoder(Account(BASE, {"api_key": "canary-full-access-key"}), http)


def read(
    zencoder: Zencoder,
    wire: responses.RequestsMock,
    source: dict[str, Any],
    progress: Any,
    state: str = "processing",
) -> RemoteJob:
    wire.get(f"{BASE}/jobs/7", json=make_job(7, state=state, input_media_file=source))
    wire.get(f"{BASE}/jobs/7/progress", json=progress)
    return zencoder.get_job("7")


@pytest.mark.parametrize("percent", [42.31, "42.31"])
def test_an_input_that_is_being_fetched(
    zencoder: Zencoder, wire: responses.RequestsMock, percent: Any
) -> None:
    progress = {"state": "processing", "current_event": "Downloading", "progress": "20.1"}
    wire.get(f"{BASE}/inputs/91/progress", json={**progress, "current_event_progress": percent})
    job = read(zencoder, wire, SOURCE, {"state": "processing", "input": {"id": 91}})
    assert job.input.fetched_percent == 42.31


def test_a_fetched_input_is_read_where_the_details_are_older(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    wire.get(f"{BASE}/inputs/91/progress", json={"state": "finished"})
    facts = {"id": 91, "duration_in_ms": 61_000, "width": 640, "file_size_in_bytes": 900}
    wire.get(f"{BASE}/inputs/91", json=facts)
    job = read(zencoder, wire, SOURCE, {"state": "processing"})
    source = job.input
    assert (source.fetched_percent, source.duration_ms, source.width) == (100, 61_000, 640)
    assert (source.size_bytes, source.url) == (900, "s3://rushes/reel.mov")


@pytest.mark.parametrize(
    ("source", "progress", "state"),
    [
        ({**SOURCE, "state": "finished"}, {"state": "processing"}, "processing"),
        (SOURCE, {"input": {"id": 91, "state": "finished"}}, "processing"),
        (SOURCE, {"input": {"id": 91, "state": "waiting"}}, "waiting"),
        ({"url": "s3://rushes/reel.mov"}, {"state": "processing"}, "processing"),
    ],
)
def test_no_other_job_costs_a_request(
    zencoder: Zencoder, wire: responses.RequestsMock, source: Any, progress: Any, state: str
) -> None:
    job = read(zencoder, wire, source, progress, state)
    assert (len(wire.calls), job.input.fetched_percent) == (2, None)


def test_a_job_is_read_without_its_input_and_a_limit_is_respected(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    wire.get(f"{BASE}/inputs/91/progress", status=404, json={"errors": ["None."]})
    assert read(zencoder, wire, SOURCE, {}).input.fetched_percent is None
    limit = {"Retry-After": "7"}
    wire.upsert("GET", f"{BASE}/inputs/91/progress", status=403, headers=limit, body="Rate Limit")
    with pytest.raises(RateLimited):
        zencoder.get_job("7")
