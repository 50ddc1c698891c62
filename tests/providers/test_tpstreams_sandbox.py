"""The adapter against the sandbox, over a real socket."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from providers.core.contract import Account
from providers.core.errors import AuthRefused, Conflict, NotFound, RateLimited, Rejected
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import JobRequest, RemoteJob, Rendition
from providers.http.client import HttpClient
from providers.tpstreams.adapter import TPStreams
from sandbox.server import RunningSandbox, start
from tests.waiting import PATIENCE_S

KEY = "0f8fad5bd9cb469fa16570867728950e"
REQUEST = JobRequest(
    input="https://media.example.com/rushes/ferry.mov",
    destination="s3://reels/ferry/?access_key=canaryAK&secret_key=canary/S+K&region=eu-west-1",
    renditions=(Rendition("hls", (240, 360)),),
    metadata=["the customer's", {"own": 1}],
)

Connect = Callable[..., TPStreams]


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with start(encode=False, time_scale=0) as running:
        yield running


@pytest.fixture
def connect(local_http: HttpClient) -> Connect:
    """Make the adapter of one of a sandbox's accounts."""

    def make(sandbox: RunningSandbox, prefix: str = "tpstreams", **changes: str) -> TPStreams:
        credentials = {"token": sandbox.keys[f"{prefix}_token"], **changes}
        options = {"organization_id": sandbox.keys[f"{prefix}_organization_id"], **changes}
        return TPStreams(Account(sandbox.api_url("tpstreams"), credentials, options), local_http)

    return make


@pytest.fixture
def local_http() -> Iterator[HttpClient]:
    with HttpClient(allow_private_addresses=True) as client:
        yield client


def wait(adapter: TPStreams, remote_id: str) -> RemoteJob:
    until = time.monotonic() + PATIENCE_S
    while not (job := adapter.get_job(remote_id)).status.is_terminal:
        assert time.monotonic() < until
        time.sleep(0.1)
    return job


def test_a_past_of_many_pages_is_read_whole(connect: Connect) -> None:
    with start(encode=False, seed_jobs=70, seed_second=3, seed_unknown=1) as sandbox:
        pages = list(connect(sandbox).list_jobs())
        jobs = [job for page in pages for job in page.jobs]
        assert [len(page.jobs) for page in pages] == [20, 20, 20, 11]
        assert len({job.remote_id for job in jobs}) == 71
        assert {JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.UNKNOWN} <= {
            job.status for job in jobs
        }
        assert all(job.outputs and job.raw for job in jobs)
        assert all(job.errors for job in jobs if job.status is JobStatus.FAILED)
        assert "sand/box" not in repr(jobs)
        other = [j for page in connect(sandbox, "tpstreams_second").list_jobs() for j in page.jobs]
        assert len(other) == 3
        assert not {job.remote_id for job in other} & {job.remote_id for job in jobs}


def test_a_submission_runs_and_keeps_the_customers_metadata(connect: Connect) -> None:
    with start() as sandbox:
        adapter = connect(sandbox)
        adapter.check_credentials()
        created = adapter.submit(replace(REQUEST, input=sandbox.input_url("no-audio.mp4")), KEY)
        assert (created.status, created.key) == (JobStatus.QUEUED, KEY)
        job = wait(adapter, created.remote_id)
    assert (job.status, job.errors) == (JobStatus.SUCCEEDED, ())
    assert (job.key, job.metadata) == (KEY, REQUEST.metadata)
    assert (job.name, job.input.duration_ms) == ("no-audio.mp4", 8_000)
    assert [(o.remote_id, o.height, o.status) for o in job.outputs] == [
        ("240p", 240, OutputStatus.SUCCEEDED),
        ("360p", 360, OutputStatus.SUCCEEDED),
    ]
    assert job.started_at
    assert job.finished_at
    assert created.started_at is None
    assert job.started_at <= job.finished_at
    assert "canary" not in repr(job)


@pytest.mark.parametrize(
    ("clip", "error_class"),
    [
        ("missing.mp4", "input.not_found"),
        ("forbidden.mp4", "input.access_denied"),
        ("unanswered.mp4", "input.timeout"),
        ("truncated.mp4", "input.corrupt"),
        ("corrupt.mp4", "input.corrupt"),
        ("notes.txt", "input.no_media"),
        ("page.html", "input.no_media"),
    ],
)
def test_a_bad_input_ends_in_its_class(connect: Connect, clip: str, error_class: str) -> None:
    with start(encode=False, time_scale=100) as sandbox:
        adapter = connect(sandbox)
        source = f"https://media.example.com/{clip}"
        created = adapter.submit(replace(REQUEST, input=source), KEY)
        job = wait(adapter, created.remote_id)
    assert job.status is JobStatus.FAILED
    assert [error.error_class for error in job.errors] == [error_class]
    assert job.finished_at is None


def test_a_submission_whose_answer_was_lost_is_found(
    sandbox: RunningSandbox, connect: Connect
) -> None:
    adapter = connect(sandbox)
    since = datetime.now(UTC)
    for other in ("a" * 32, "b" * 32):
        adapter.submit(REQUEST, other)
    created = adapter.submit(REQUEST, KEY)
    adapter.submit(REQUEST, "c" * 32)
    found = adapter.find_by_key(KEY, REQUEST, since)
    assert found.job
    assert found.job.remote_id == created.remote_id
    missing = adapter.find_by_key("d" * 32, REQUEST, since)
    assert (missing.job, missing.complete) == (None, True)


def test_a_job_is_cancelled_once(sandbox: RunningSandbox, connect: Connect) -> None:
    adapter = connect(sandbox)
    remote_id = adapter.submit(REQUEST, KEY).remote_id
    adapter.cancel(remote_id)
    assert adapter.get_job(remote_id).status is JobStatus.CANCELLED
    with pytest.raises(Conflict):
        adapter.cancel(remote_id)


def test_refusals_are_distinguished(sandbox: RunningSandbox, connect: Connect) -> None:
    adapter = connect(sandbox)
    with pytest.raises(NotFound):
        adapter.get_job("0" * 11)
    with pytest.raises(AuthRefused, match="organization id"):
        connect(sandbox, organization_id="nobody").get_job("0" * 11)
    with pytest.raises(AuthRefused, match="credentials"):
        connect(sandbox, token="wrong").check_credentials()
    with pytest.raises(Rejected) as caught:
        adapter.submit(replace(REQUEST, renditions=(Rendition("hls", (540,)),)), KEY)
    assert caught.value.fields == {"resolutions": ['"540p" is not a valid choice.']}
    sandbox.set_faults({"ratelimit": 1})
    with pytest.raises(RateLimited) as limited:
        adapter.get_job("0" * 11)
    assert limited.value.wait_s == 7
