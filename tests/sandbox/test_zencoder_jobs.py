"""Jobs under way: states, progress, lists, cancelling and resubmitting."""

from datetime import UTC, datetime, timedelta

import pytest
import requests
import time_machine

from sandbox.server import RunningSandbox
from tests.sandbox.conftest import Client, StartSandbox

SOURCE = "https://media.example.com/reel.mov"


def test_a_new_job_waits_without_a_progress(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)
    created = client.create(SOURCE, {}, {})

    progress = client.get(f"/jobs/{created['id']}/progress")

    assert progress["state"] in ("pending", "waiting")
    assert "progress" not in progress
    assert progress["input"]["state"] == "queued"
    assert [output["state"] for output in progress["outputs"]] == ["waiting", "waiting"]


def test_the_clock_moves_a_job_through_its_states(start_sandbox: StartSandbox) -> None:
    client = Client(start_sandbox(time_scale=4))
    created = client.create(SOURCE, {"label": "a"}, {"label": "b"})

    client.wait(created["id"], "processing")
    running = client.get(f"/jobs/{created['id']}/progress")
    job = client.wait(created["id"], "finished")
    done = client.get(f"/jobs/{created['id']}/progress")

    assert 0 <= running["progress"] < 100
    assert job["finished_at"] >= job["created_at"]
    assert job["input_media_file"]["channels"] == "2"
    assert {output["state"] for output in job["output_media_files"]} == {"finished"}
    assert set(done) == {"state", "input", "outputs"}  # no progress once it is done


@pytest.mark.parametrize(
    ("name", "error_class"),
    [
        ("corrupt.mp4", "UnreadableFileError"),
        ("missing.mp4", "FileNotFoundError"),
        ("forbidden.mp4", "DownloadAccessDeniedError"),
    ],
)
def test_the_name_of_the_input_decides_how_the_clock_ends_it(
    start_sandbox: StartSandbox, name: str, error_class: str
) -> None:
    client = Client(start_sandbox(time_scale=100))
    created = client.create(f"https://media.example.com/{name}", {}, {})

    job = client.wait(created["id"], "failed")

    assert job["input_media_file"]["error_class"] == error_class
    assert [output["state"] for output in job["output_media_files"]] == ["no_input", "no_input"]
    assert [output["error_class"] for output in job["output_media_files"]] == [None, None]


def test_one_failed_output_fails_the_job_and_leaves_the_others(
    start_sandbox: StartSandbox,
) -> None:
    client = Client(start_sandbox(time_scale=100))
    created = client.create("https://media.example.com/partial.mp4", {}, {})

    job = client.wait(created["id"], "failed")

    assert [output["state"] for output in job["output_media_files"]] == ["finished", "failed"]
    assert job["output_media_files"][1]["error_class"] == "TranscodingError"


def test_lists_are_newest_first_in_pages_of_at_most_fifty(start_sandbox: StartSandbox) -> None:
    client = Client(start_sandbox(seed_jobs=61))

    first, second, third = (client.get(f"/jobs?per_page=99&page={page}") for page in (1, 2, 3))

    ids = [item["job"]["id"] for item in first + second]
    assert (len(first), len(second), third) == (50, 11, [])
    assert ids == sorted(ids, reverse=True)
    assert len(set(ids)) == 61


def test_accounts_do_not_see_each_others_jobs(clockwork: RunningSandbox) -> None:
    created = Client(clockwork).create(SOURCE)
    stranger = Client(clockwork, "zencoder_second_api_key")

    assert stranger.get("/jobs") == []
    assert stranger.call("GET", f"/jobs/{created['id']}").status_code == 404
    assert stranger.call("PUT", f"/jobs/{created['id']}/cancel").status_code == 404
    output_id = created["outputs"][0]["id"]
    assert stranger.call("GET", f"/outputs/{output_id}").status_code == 404


def test_the_id_of_an_output_is_no_id_of_an_input(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)
    output_id = client.create(SOURCE)["outputs"][0]["id"]

    assert client.call("GET", f"/inputs/{output_id}").status_code == 404
    assert client.get(f"/outputs/{output_id}")["id"] == output_id


def test_inputs_and_outputs_alone_are_flat_and_name_their_size_differently(
    start_sandbox: StartSandbox,
) -> None:
    client = Client(start_sandbox(time_scale=100))
    created = client.create(SOURCE, {}, {"thumbnails": {"number": 2, "label": "poster"}})
    job = client.wait(created["id"], "finished")

    source = client.get(f"/inputs/{job['input_media_file']['id']}")
    output = client.get(f"/outputs/{job['output_media_files'][1]['id']}")

    assert source["file_size_in_bytes"] == job["input_media_file"]["file_size_bytes"]
    assert "file_size_bytes" not in source
    assert output["job_id"] == job["id"]
    assert [group["label"] for group in output["thumbnails"]] == ["poster"]
    assert len(output["thumbnails"][0]["images"]) == len(job["thumbnails"]) == 2
    assert client.get(f"/outputs/{output['id']}/progress") == {"state": "finished"}


@pytest.mark.parametrize("method", ["PUT", "POST", "GET"])
def test_any_method_cancels_and_nothing_follows_the_204(
    clockwork: RunningSandbox, method: str
) -> None:
    client = Client(clockwork)
    created = client.create(SOURCE, {}, {})

    response = client.call(method, f"/jobs/{created['id']}/cancel.json")
    job = client.job(created["id"])

    assert response.status_code == 204
    assert "Content-Length" not in response.headers
    assert response.content == b""
    assert job["state"] == job["input_media_file"]["state"] == "cancelled"
    assert {output["state"] for output in job["output_media_files"]} == {"cancelled"}
    assert client.call(method, f"/jobs/{created['id']}/cancel").status_code == 409


def test_a_job_is_resubmitted_five_times_under_its_id(clockwork: RunningSandbox) -> None:
    client = Client(clockwork)
    path = f"/jobs/{client.create(SOURCE)['id']}"

    statuses = []
    for _ in range(6):
        client.call("PUT", f"{path}/cancel")
        statuses.append(client.call("PUT", f"{path}/resubmit"))

    assert [response.status_code for response in statuses] == [204] * 5 + [403]
    assert "Retry-After" not in statuses[-1].headers  # not the refusal of too many requests
    assert client.get(path)["job"]["state"] == "cancelled"


def test_a_job_is_resubmitted_for_seven_days_and_known_for_sixty(
    clockwork: RunningSandbox,
) -> None:
    client = Client(clockwork)
    path = f"/jobs/{client.create(SOURCE)['id']}"
    client.call("PUT", f"{path}/cancel")
    now = datetime.now(UTC)

    with time_machine.travel(now + timedelta(days=8)):
        refusal = client.call("PUT", f"{path}/resubmit")
        assert refusal.status_code == 409
        assert "too old" in refusal.json()["errors"][0]
        assert len(client.get("/jobs")) == 1
    with time_machine.travel(now + timedelta(days=61)):
        assert client.call("GET", path).status_code == 404
        assert client.get("/jobs") == []
    assert client.call("PUT", f"{path}/resubmit").status_code == 204


def test_jobs_that_run_or_finished_are_not_resubmitted(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(time_scale=0)
    client = Client(sandbox)
    path = f"/jobs/{client.create(SOURCE)['id']}"
    assert client.call("PUT", f"{path}/resubmit").status_code == 409

    sandbox.set_time_scale(100)
    client.wait(int(path.removeprefix("/jobs/")), "finished")

    assert client.call("PUT", f"{path}/resubmit").status_code == 409
    refusal = client.call("PUT", f"{path}/finish")
    assert refusal.status_code == 409
    assert refusal.json() == {"errors": ["Only Live streaming jobs can be finished."]}


def test_a_job_can_be_made_to_report_a_state_that_nobody_documented(
    clockwork: RunningSandbox,
) -> None:
    client = Client(clockwork)
    job_id = client.create(SOURCE)["id"]

    control = f"{clockwork.url}/_sandbox/jobs/{job_id}"
    assert requests.post(control, json={"state": "quarantined"}, timeout=60).ok

    assert client.job(job_id)["state"] == "quarantined"
    assert client.get("/jobs")[0]["job"]["state"] == "quarantined"
