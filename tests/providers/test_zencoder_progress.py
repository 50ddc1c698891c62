"""What Zencoder's progress call adds to the details, and where the two disagree."""

from collections.abc import Callable
from typing import Any

import pytest
import responses

from providers.core.contract import Account
from providers.core.errors import AuthRefused, ProviderError, RateLimited
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import RemoteJob
from providers.http.client import HttpClient
from providers.zencoder.adapter import Zencoder
from tests.providers.cases.zencoder import BASE_URL as BASE
from tests.providers.cases.zencoder import make_job

Load = Callable[[str], Any]
Read = Callable[[str, Any, Any], RemoteJob]


@pytest.fixture
def zencoder(http: HttpClient) -> Zencoder:
    return Zencoder(Account(BASE, {"api_key": "canary-full-access-key"}), http)


@pytest.fixture
def read(zencoder: Zencoder, wire: responses.RequestsMock) -> Read:
    """Read a job by its state and outputs in the details, and what the progress call reports."""

    def read_both(state: str, outputs: Any, progress: Any) -> RemoteJob:
        wire.get(f"{BASE}/jobs/7", json=make_job(7, state=state, output_media_files=outputs))
        wire.get(f"{BASE}/jobs/7/progress", json=progress)
        return zencoder.get_job("7")

    return read_both


def list_progress(job: RemoteJob) -> list[tuple[OutputStatus, str, float | None]]:
    return [(output.status, output.provider_status, output.progress) for output in job.outputs]


def test_progress_is_merged_into_the_details(
    zencoder: Zencoder, wire: responses.RequestsMock, load: Load
) -> None:
    wire.get(f"{BASE}/jobs/734500123459", json=load("zencoder/job_processing.json"))
    wire.get(f"{BASE}/jobs/734500123459/progress", json=load("zencoder/progress_processing.json"))
    job = zencoder.get_job("734500123459")
    assert (job.progress, job.phase) == (41.75, "Transcoding")
    assert list_progress(job) == [
        (OutputStatus.RUNNING, "processing", 83.5),
        (OutputStatus.RUNNING, "processing", 0),
    ]


def test_no_percentage_is_not_zero(
    zencoder: Zencoder, wire: responses.RequestsMock, load: Load
) -> None:
    wire.get(f"{BASE}/jobs/734500123460", json=load("zencoder/job_waiting.json"))
    wire.get(f"{BASE}/jobs/734500123460/progress", json=load("zencoder/progress_waiting.json"))
    job = zencoder.get_job("734500123460")
    assert (job.status, job.progress, job.phase) == (JobStatus.QUEUED, None, None)
    assert {output.progress for output in job.outputs} == {None}


@pytest.mark.parametrize("body", [[], "x", 3, {"outputs": [None, {}, {"id": None}], "input": []}])
def test_a_senseless_progress_changes_nothing_that_was_known(
    zencoder: Zencoder, wire: responses.RequestsMock, load: Load, body: Any
) -> None:
    wire.get(f"{BASE}/jobs/734500123459", json=load("zencoder/job_processing.json"))
    wire.get(f"{BASE}/jobs/734500123459/progress", json=body)
    job = zencoder.get_job("734500123459")
    assert job.status is JobStatus.RUNNING
    assert len(job.outputs) == 2


def test_details_are_given_when_the_progress_call_fails(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    wire.get(f"{BASE}/jobs/7", json=make_job(7, state="processing"))
    wire.get(f"{BASE}/jobs/7/progress", body="Down", status=503)
    assert zencoder.get_job("7").status is JobStatus.RUNNING


@pytest.mark.parametrize(
    ("status", "expected"), [(429, RateLimited), (401, AuthRefused), (403, AuthRefused)]
)
def test_a_limit_or_a_refusal_met_by_the_progress_call_is_raised(
    zencoder: Zencoder, wire: responses.RequestsMock, status: int, expected: type[ProviderError]
) -> None:
    wire.get(f"{BASE}/jobs/7", json=make_job(7, state="processing"))
    wire.get(f"{BASE}/jobs/7/progress", json={}, status=status)
    with pytest.raises(expected):
        zencoder.get_job("7")


@pytest.mark.parametrize(
    ("details", "progress", "expected"),
    [
        ("waiting", "processing", JobStatus.RUNNING),
        ("processing", "waiting", JobStatus.RUNNING),
        # the next reading of the details has the sizes and the errors as well
        ("processing", "finished", JobStatus.RUNNING),
        ("waiting", "failed", JobStatus.QUEUED),
        ("waiting", "reticulating", JobStatus.QUEUED),
    ],
)
def test_details_and_progress_may_disagree(
    zencoder: Zencoder,
    wire: responses.RequestsMock,
    details: str,
    progress: str,
    expected: JobStatus,
) -> None:
    wire.get(f"{BASE}/jobs/7", json=make_job(7, state=details))
    wire.get(f"{BASE}/jobs/7/progress", json={"state": progress})
    assert zencoder.get_job("7").status is expected


def test_a_job_that_is_done_needs_no_progress_call(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    job = RemoteJob("7", JobStatus.SUCCEEDED)
    assert zencoder.refresh_job(job) is job
    assert len(wire.calls) == 0


def test_outputs_may_be_under_the_name_of_the_reference(read: Read) -> None:
    part = {"id": 2, "state": "processing", "progress": "7.25"}
    job = read("processing", [{"id": 2, "state": "ready"}], {"output": [part]})
    assert list_progress(job) == [(OutputStatus.RUNNING, "processing", 7.25)]


def test_what_is_not_reported_an_output_under_way_is_not_made_up(read: Read) -> None:
    parts = [
        {"id": 3, "state": "processing"},
        {"id": 2, "state": "processing", "current_event": "Uploading", "current_event_progress": 9},
    ]
    outputs = [{"id": 2, "state": "ready"}, {"id": 3, "state": "ready"}]
    job = read("processing", outputs, {"state": "processing", "outputs": parts})
    assert (job.progress, job.phase) == (None, "Uploading")
    assert list_progress(job) == [(OutputStatus.RUNNING, "processing", None)] * 2


def test_the_step_of_the_input_is_the_phase_while_no_output_has_one(read: Read) -> None:
    source = {"id": 1, "state": "processing", "current_event": "Downloading"}
    outputs = [{"id": 2, "state": "waiting"}]
    progress = {"state": "processing", "input": source, "outputs": outputs}
    assert read("processing", outputs, progress).phase == "Downloading"


@pytest.mark.parametrize(
    ("details", "progress", "expected"),
    [
        ("processing", "queued", (OutputStatus.RUNNING, "processing", 50)),
        ("processing", "finished", (OutputStatus.RUNNING, "processing", 50)),
        ("assigning", "failed", (OutputStatus.QUEUED, "assigning", 50)),
        ("finished", "processing", (OutputStatus.SUCCEEDED, "finished", 100)),
        ("skipped", "processing", (OutputStatus.SKIPPED, "skipped", None)),
    ],
)
def test_an_output_neither_steps_back_nor_ends_by_its_progress(
    read: Read, details: str, progress: str, expected: tuple[OutputStatus, str, float | None]
) -> None:
    part = {"id": 2, "state": progress, "progress": 50}
    job = read("processing", [{"id": 2, "state": details}], {"outputs": [part]})
    assert list_progress(job) == [expected]


def test_a_job_that_the_progress_call_says_to_run_is_shown_with_its_own_status(read: Read) -> None:
    job = read("waiting", [], {"state": "processing"})
    assert (job.status, job.provider_status) == (JobStatus.RUNNING, "processing")
