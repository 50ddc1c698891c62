"""Failing on purpose."""

import time
from typing import Any

import pytest
import requests

from sandbox.server import RunningSandbox
from tests.sandbox.conftest import Client, StartSandbox

SOURCE = "https://media.example.com/reel.mov"
ONCE: dict[str, Any] = {"times": 1}


@pytest.mark.parametrize(("name", "status"), [("error500", 500), ("error503", 503)])
def test_server_errors(clockwork: RunningSandbox, name: str, status: int) -> None:
    client = Client(clockwork)
    clockwork.set_faults({name: {"times": 2}})

    assert [client.call("GET", "/jobs").status_code for _ in range(3)] == [status, status, 200]


@pytest.mark.parametrize(
    ("name", "status"), [("ratelimit", 403), ("unauthorized", 401), ("not_found", 404)]
)
def test_refusals_are_the_providers_own(clockwork: RunningSandbox, name: str, status: int) -> None:
    clockwork.set_faults({name: ONCE})

    response = Client(clockwork).call("GET", "/jobs")

    assert response.status_code == status
    assert ("Retry-After" in response.headers) == (name == "ratelimit")


def test_a_missing_list_leaves_single_jobs(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)
    made = client.create(SOURCE)
    clockwork.set_faults({"no_list": 1})

    assert client.call("GET", "/jobs?page=1").status_code == 404
    assert client.job(made["id"])["id"] == made["id"]
    assert client.create(SOURCE)


@pytest.mark.parametrize("name", ["html", "broken_json", "empty"])
def test_bodies_that_are_no_json(clockwork: RunningSandbox, name: str) -> None:
    client = Client(clockwork)
    client.create(SOURCE)
    clockwork.set_faults({name: ONCE})

    response = client.call("GET", "/jobs")

    assert response.status_code == 200
    with pytest.raises(requests.JSONDecodeError):
        response.json()


def test_garbage_keeps_the_shape_and_twists_the_types(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)
    client.create(SOURCE)
    clockwork.set_faults({"garbage": ONCE})

    (item,) = client.get("/jobs")

    assert isinstance(item["job"]["id"], list)
    assert isinstance(item["job"]["state"], dict)


def test_a_dropped_request_is_not_carried_out(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)
    clockwork.set_faults({"drop": {"times": 1, "method": "POST"}})

    assert client.get("/jobs") == []  # another method is not struck
    with pytest.raises(requests.ConnectionError):
        client.create(SOURCE)
    assert client.get("/jobs") == []


def test_drop_after_carries_the_request_out_and_sends_no_response(
    clockwork: RunningSandbox,
) -> None:
    client = Client(clockwork)
    clockwork.set_faults({"drop_after": {"times": 1, "path": "/jobs", "method": "POST"}})

    with pytest.raises(requests.ConnectionError):
        client.create(SOURCE, pass_through="ours")

    (item,) = client.get("/jobs")
    assert item["job"]["pass_through"] == "ours"


def test_a_slow_answer_is_late_but_whole(clockwork: RunningSandbox) -> None:
    clockwork.set_faults({"slow": {"times": 1, "delay_s": 0.4}})
    began = time.monotonic()

    assert Client(clockwork).get("/jobs") == []
    assert time.monotonic() - began >= 0.4


def test_a_hanging_answer_never_ends_and_stops_with_the_sandbox(
    start_sandbox: StartSandbox,
) -> None:
    sandbox = start_sandbox()
    sandbox.set_faults({"hang": ONCE})

    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(
            f"{sandbox.api_url('zencoder')}/account",
            headers={"Zencoder-Api-Key": sandbox.keys["zencoder_api_key"]},
            timeout=0.5,
        )


def test_a_rate_strikes_its_share_and_the_same_ones_each_time(
    start_sandbox: StartSandbox,
) -> None:
    def statuses() -> list[int]:
        client = Client(start_sandbox(faults={"error500": 0.3}, seed=5))
        return [client.call("GET", "/account").status_code for _ in range(60)]

    first, second = statuses(), statuses()

    assert first == second
    assert 8 <= first.count(500) <= 28


def test_faults_are_set_and_ended_over_http(clockwork: RunningSandbox) -> None:
    url = f"{clockwork.url}/_sandbox/faults"

    requests.post(url, json={"error500": 1, "drop": 0.5}, timeout=60)
    left = requests.post(url, json={"error500": 0}, timeout=60).json()["set"]
    refused = requests.post(url, json={"nonsense": 1}, timeout=60)
    cleared = requests.delete(url, timeout=60).json()["set"]

    assert list(left) == ["drop"]
    assert refused.status_code == 400
    assert "nonsense" in refused.json()["error"]
    assert cleared == {}


def test_requests_are_counted_by_path_with_ids_replaced(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)
    job_id = client.create(SOURCE)["id"]
    client.get("/jobs?page=1")
    client.get(f"/jobs/{job_id}")
    client.get(f"/jobs/{job_id}.json")

    log = requests.get(f"{clockwork.url}/_sandbox/state", timeout=60).json()["requests"]
    clockwork.clear_requests()

    base = "/zencoder/api/v2/jobs"
    assert log["by_path"][f"GET {base}"] == 1
    assert log["by_path"][f"POST {base}"] == 1
    assert log["total"] == 4
    assert clockwork.state()["requests"]["total"] == 0
    assert clockwork.keys["zencoder_api_key"] not in str(log)


def test_all_jobs_are_listed_newest_first(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(time_scale=0, seed_jobs=40)
    made = Client(sandbox).create(SOURCE)["id"]

    jobs = requests.get(f"{sandbox.url}/_sandbox/jobs", timeout=60).json()

    assert jobs == sandbox.jobs()
    assert jobs[0] | {"id": made, "input": SOURCE, "attempt": 1} == jobs[0]
    assert len(jobs) == sum(sum(each.values()) for each in sandbox.state()["jobs"].values()) > 100
