"""Cancelling at Xvid: the same call destroys a finished job."""

from collections.abc import Callable
from typing import Any

import pytest
import responses

from providers.core.errors import AuthRefused, Conflict, NotFound
from providers.http.client import HttpClient
from providers.xvid.adapter import Xvid
from tests.providers.cases.xvid import BASE_URL as BASE
from tests.providers.cases.xvid import READ, make_adapter, queries

Load = Callable[[str], Any]


@pytest.fixture
def xvid(http: HttpClient) -> Xvid:
    return make_adapter(http)


@pytest.mark.parametrize("name", ["job_queued", "job_processing"])
def test_an_unfinished_job_is_read_again_and_then_cancelled(
    xvid: Xvid, wire: responses.RequestsMock, load: Load, name: str
) -> None:
    wire.get(f"{BASE}/jobs/77", json={"job": load(f"xvid/{name}.json")})
    wire.delete(f"{BASE}/jobs/77", json=load("xvid/cancelled.json"))
    xvid.cancel("77")
    assert [call.request.method for call in wire.calls] == ["GET", "DELETE"]
    assert queries(wire) == [READ, {}]


@pytest.mark.parametrize("label", ["SUCCESS", "FAILURE", "CANCELED", "ARCHIVING", None])
def test_a_job_that_is_done_or_in_an_unknown_state_is_never_deleted(
    xvid: Xvid, wire: responses.RequestsMock, label: str | None
) -> None:
    wire.get(f"{BASE}/jobs/77", json={"job": {"id": "77", "status": label}})
    wire.delete(f"{BASE}/jobs/77", json={"result": {"status": "SUCCESS"}})
    with pytest.raises(Conflict, match="delete it with its files"):
        xvid.cancel("77")
    assert [call.request.method for call in wire.calls] == ["GET"]


def test_a_deletion_is_not_sent_again_with_a_new_token(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    """By then the job may be finished; and the token was good for reading it."""
    wire.get(f"{BASE}/jobs/77", json={"job": load("xvid/job_queued.json")})
    wire.delete(f"{BASE}/jobs/77", json=load("xvid/bad_token.json"), status=403)
    wire.post(f"{BASE}/oauth2/token/", json=load("xvid/token.json"))
    with pytest.raises(AuthRefused, match="mediahub_write"):
        xvid.cancel("77")
    assert [call.request.method for call in wire.calls] == ["GET", "DELETE"]


def test_a_cancellation_that_did_not_succeed_is_reported(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    wire.get(f"{BASE}/jobs/77", json={"job": load("xvid/job_queued.json")})
    wire.delete(f"{BASE}/jobs/77", json={"result": {"status": "FAILURE"}})
    with pytest.raises(Conflict, match="FAILURE"):
        xvid.cancel("77")


def test_a_job_that_is_gone_cannot_be_cancelled(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    wire.get(f"{BASE}/jobs/77", json=load("xvid/no_job.json"), status=404)
    with pytest.raises(NotFound):
        xvid.cancel("77")
