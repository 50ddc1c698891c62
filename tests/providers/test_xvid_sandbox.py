"""Xvid's adapter against the sandbox, over real sockets."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
import requests

from providers.core.contract import Account
from providers.core.errors import AuthRefused, Conflict, NotFound
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import JobRequest, OutputKind, RemoteJob, Rendition, Thumbnails
from providers.http.client import HttpClient
from providers.http.tokens import TOKENS
from providers.xvid.adapter import Xvid
from sandbox.server import RunningSandbox, start
from tests.waiting import PATIENCE_S

KEY = "0f8fad5bd9cb469fa16570867728950e"
PRESETS = ["MP4-H264-AAC-240p", "House web 360p"]

Connect = Callable[..., Xvid]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Make adapters for an account of a sandbox."""
    TOKENS.clear()
    with HttpClient(allow_private_addresses=True) as http:

        def make(sandbox: RunningSandbox, prefix: str = "xvid") -> Xvid:
            keys = sandbox.keys
            credentials = {
                "client_id": keys[f"{prefix}_client_id"],
                "client_secret": keys[f"{prefix}_client_secret"],
            }
            options = {"pipeline_id": keys["xvid_pipeline_id"]}
            return Xvid(Account(sandbox.api_url("xvid"), credentials, options), http)

        yield make


@pytest.fixture
def clockwork() -> Iterator[RunningSandbox]:
    with start(encode=False, time_scale=0, rate_limit=0, seed_jobs=250) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def studio() -> Iterator[RunningSandbox]:
    """Encodes for real."""
    with start(encode=True, rate_limit=0) as sandbox:
        yield sandbox


def test_a_ready_token_works_until_it_ends(clockwork: RunningSandbox) -> None:
    def check(token: str) -> None:
        Xvid(Account(clockwork.api_url("xvid"), {"token": token}), http).check_credentials()

    with HttpClient(allow_private_addresses=True) as http:
        check(clockwork.keys["xvid_token"])
        form = {
            "grant_type": "client_credential",
            "client_id": clockwork.keys["xvid_client_id"],
            "client_secret": clockwork.keys["xvid_client_secret"],
            "expires_in": "0",
        }
        url = f"{clockwork.api_url('xvid')}/oauth2/token/"
        ended = requests.post(url, data=form, timeout=60).json()["access_token"]
        with pytest.raises(AuthRefused, match="may have expired"):
            check(ended)


def wait(xvid: Xvid, job: RemoteJob) -> RemoteJob:
    until = time.monotonic() + PATIENCE_S
    while not (job := xvid.get_job(job.remote_id)).status.is_terminal:
        assert time.monotonic() < until
        time.sleep(0.05)
    return job


def request_for(source: str) -> JobRequest:
    return JobRequest(
        input=source,
        renditions=(Rendition("mp4", (240, 360)),),
        thumbnails=Thumbnails(count=1),
        metadata="episode 12",
        extra={"presets": PRESETS},
    )


def test_a_job_is_submitted_encoded_and_opened(connect: Connect, studio: RunningSandbox) -> None:
    xvid = connect(studio)
    request = request_for(studio.input_url("portrait.mp4"))
    assert not [issue for issue in xvid.check_request(request) if issue.blocking]
    created = xvid.submit(request, KEY)
    assert created.status is JobStatus.QUEUED
    since = datetime.now(UTC) - timedelta(minutes=1)
    found = xvid.find_by_key(KEY, request, since)
    assert found.job
    assert found.job.remote_id == created.remote_id
    assert xvid.find_by_key(KEY[::-1], request, since).job is None
    job = wait(xvid, created)
    assert job.status is JobStatus.SUCCEEDED, job.errors
    assert (job.name, job.metadata, job.key) == ("portrait.mp4", "episode 12", KEY)
    assert (job.input.width, job.input.height) == (360, 640)
    assert [preset.name for preset in job.presets] == PRESETS
    assert [output.kind for output in job.outputs] == [
        OutputKind.VIDEO,
        OutputKind.ARCHIVE,
        OutputKind.IMAGE,
        OutputKind.VIDEO,
    ]
    assert {output.status for output in job.outputs} == {OutputStatus.SUCCEEDED}
    assert [output.height for output in job.outputs if output.kind is OutputKind.VIDEO] == [
        240,
        360,
    ]
    for output in job.outputs:
        assert output.url
        assert requests.get(output.url, timeout=60).status_code == 403
        link = xvid.resolve_output_url(job.remote_id, output.remote_id)
        content = requests.get(link.url, timeout=60)
        assert content.status_code == 200
        assert len(content.content) == output.size_bytes
    with pytest.raises(Conflict):
        xvid.cancel(job.remote_id)
    assert xvid.get_job(job.remote_id).status is JobStatus.SUCCEEDED


def test_a_bad_input_ends_in_the_right_class(connect: Connect, studio: RunningSandbox) -> None:
    xvid = connect(studio)
    classes = {}
    for clip in ("missing.mp4", "forbidden.mp4", "notes.txt", "corrupt.mp4"):
        job = wait(xvid, xvid.submit(request_for(studio.input_url(clip)), KEY))
        classes[clip] = [error.error_class for error in job.errors]
    assert classes == {
        "missing.mp4": ["input.not_found"],
        "forbidden.mp4": ["input.access_denied"],
        "notes.txt": ["input.no_media"],
        "corrupt.mp4": ["input.corrupt"],
    }


def test_the_whole_past_is_read_over_pages(connect: Connect, clockwork: RunningSandbox) -> None:
    xvid = connect(clockwork)
    pages = list(xvid.list_jobs())
    assert len(pages) == 3
    jobs = {job.remote_id: job for page in pages for job in page.jobs}
    assert len(jobs) == 250
    assert {job.status for job in jobs.values()} >= {JobStatus.SUCCEEDED, JobStatus.FAILED}
    assert all(bool(job.errors) == (job.status is JobStatus.FAILED) for job in jobs.values())
    times = [job.created_at for job in pages[0].jobs if job.created_at]
    assert times == sorted(times, reverse=True)
    assert next(xvid.list_jobs(pages[0].cursor)).jobs[0].remote_id in jobs


def test_unfinished_jobs_are_read_with_one_request(
    connect: Connect, clockwork: RunningSandbox
) -> None:
    xvid = connect(clockwork)
    ids = {xvid.submit(request_for("https://h/a.mov"), KEY[:-1] + n).remote_id for n in "123"}
    before = xvid.http.requests
    (page,) = xvid.list_unfinished()
    assert {job.remote_id for job in page.jobs} == ids
    assert xvid.http.requests == before + 1


def test_an_unfinished_job_is_cancelled(connect: Connect, clockwork: RunningSandbox) -> None:
    xvid = connect(clockwork)
    job = xvid.submit(request_for("https://h/a.mov"), KEY)
    xvid.cancel(job.remote_id)
    assert xvid.get_job(job.remote_id).status is JobStatus.CANCELLED
    with pytest.raises(NotFound):
        xvid.resolve_output_url(job.remote_id, "0")


def test_a_token_that_the_provider_forgot_is_renewed(
    connect: Connect, clockwork: RunningSandbox
) -> None:
    xvid = connect(clockwork)
    xvid.check_credentials()
    clockwork.set_faults({"unauthorized": {"times": 1, "path": "/jobs/"}})
    xvid.check_credentials()
    assert xvid.http.requests == 5  # two sign-ins, one refusal, two lists


def test_an_application_that_may_only_read_gets_a_clear_error(
    connect: Connect, clockwork: RunningSandbox
) -> None:
    reader = connect(clockwork, "xvid_reader")
    reader.check_credentials()
    with pytest.raises(AuthRefused, match="mediahub_write"):
        reader.submit(request_for("https://h/a.mov"), KEY)
    job = connect(clockwork).submit(request_for("https://h/a.mov"), KEY)
    with pytest.raises(AuthRefused, match="mediahub_write"):
        reader.cancel(job.remote_id)


def test_the_presets_of_the_account_and_of_the_system_are_listed(
    connect: Connect, clockwork: RunningSandbox
) -> None:
    presets = {preset.name: preset for preset in connect(clockwork).list_presets()}
    assert set(PRESETS) <= set(presets)
    assert {preset.kind for preset in presets.values()} == {"system", "custom"}
    assert (
        presets["House web 360p"].settings["target_format"]["vcodec"]["caps"]["max_height"] == 360
    )
