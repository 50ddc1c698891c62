"""The seeded past."""

import time
from collections import Counter
from typing import Any

from sandbox.server import RunningSandbox
from tests.sandbox.conftest import Client, StartSandbox
from tests.waiting import PATIENCE_S


def read_all(sandbox: RunningSandbox, key: str = "zencoder_api_key") -> list[dict[str, Any]]:
    client, jobs, page = Client(sandbox, key), [], 1
    while found := client.get(f"/jobs?page={page}"):
        jobs += [item["job"] for item in found]
        page += 1
    return jobs


def test_a_thousand_jobs_are_seeded_and_ended(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(seed_jobs=1000, seed_second=40)

    states = sandbox.state()["jobs"]["zencoder"]
    assert sum(states.values()) == 1040
    assert set(states) == {"finished", "failed", "cancelled"}
    assert 0.82 < states["finished"] / 1040 < 0.93


def test_nothing_fails_in_the_past_of_the_second_account(start_sandbox: StartSandbox) -> None:
    jobs = read_all(start_sandbox(seed_second=60), "zencoder_second_api_key")

    outputs = [output for job in jobs for output in job["output_media_files"]]
    assert [job["state"] for job in jobs] == ["finished"] * 60
    assert {output["state"] for output in outputs} == {"finished"}


def test_the_past_has_all_kinds_of_trouble(start_sandbox: StartSandbox) -> None:
    jobs = read_all(start_sandbox(seed_jobs=800))

    outputs = [output for job in jobs for output in job["output_media_files"]]
    input_errors = {job["input_media_file"]["error_class"] for job in jobs} - {None}
    output_errors = {output["error_class"] for output in outputs} - {None}
    urls = " ".join(job["input_media_file"]["url"] for job in jobs)
    partial = [
        job
        for job in jobs
        if {"finished", "failed"} <= {output["state"] for output in job["output_media_files"]}
    ]
    assert len(input_errors) > 8
    assert len(output_errors) > 6
    assert {"skipped", "cancelled", "no_input"} <= {output["state"] for output in outputs}
    assert partial
    for part in ("<script>", "東京", "ראיון", "🎬", "X-Amz-Signature=", "ftp://studio:"):
        assert part in urls


def test_ids_and_times_run_the_same_way_and_stay_inside_sixty_days(
    start_sandbox: StartSandbox,
) -> None:
    jobs = read_all(start_sandbox(seed_jobs=200))

    created = [job["created_at"] for job in jobs]
    assert created == sorted(created, reverse=True)
    assert all(job["created_at"] <= job["finished_at"] for job in jobs)
    assert max(job["finished_at"] for job in jobs) < time.strftime(
        "%Y-%m-%dT%H:%M:%SZ", time.gmtime()
    )


def test_the_same_seed_makes_the_same_past(start_sandbox: StartSandbox) -> None:
    def names_and_states(seed: int) -> Counter[tuple[str, str]]:
        jobs = read_all(start_sandbox(seed_jobs=60, seed=seed))
        return Counter((job["input_media_file"]["url"], job["state"]) for job in jobs)

    first, again, other = names_and_states(3), names_and_states(3), names_and_states(4)

    assert len(first) == 60
    assert first == again
    assert first != other


def test_moving_jobs_move_and_are_followed_by_others(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(seed_moving=4, trickle_s=0.1, time_scale=100)
    client = Client(sandbox)
    oldest = min(item["job"]["id"] for item in client.get("/jobs"))

    client.wait(oldest, "finished", "failed")
    until = time.monotonic() + PATIENCE_S
    while len(client.get("/jobs")) <= 4:
        assert time.monotonic() < until, "no further job came"
        time.sleep(0.05)


def test_jobs_in_a_state_that_nobody_documented_can_be_seeded(start_sandbox: StartSandbox) -> None:
    sandbox = start_sandbox(seed_jobs=2, seed_unknown=1)

    assert [job["state"] for job in read_all(sandbox)][0] == "quarantined"
