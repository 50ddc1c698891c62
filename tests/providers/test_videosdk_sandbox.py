"""Video SDK's adapter and the sandbox's idea of the API, over a real socket."""

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from providers.core.contract import Account
from providers.core.errors import AuthRefused, Conflict, NotFound, Withdrawn
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import JobRequest, OutputKind, RemoteJob, Rendition, Thumbnails
from providers.http.client import HttpClient
from providers.videosdk.adapter import VideoSDK
from sandbox.server import RunningSandbox, start
from tests.waiting import PATIENCE_S

KEY = "0f8fad5bd9cb469fa16570867728950e"
REQUEST = JobRequest(
    input="https://media.example.com/in/Ferry.mov",
    renditions=(Rendition("hls", (240, 480)), Rendition("mp4", (240, 360))),
    thumbnails=Thumbnails(timestamps=(1,), height=240, formats=("webp",)),
    metadata={"episode": 4},
)


@pytest.fixture
def sandbox() -> Iterator[RunningSandbox]:
    with start(encode=False, rate_limit=0, time_scale=0) as running:
        yield running


@pytest.fixture
def videosdk(sandbox: RunningSandbox) -> Iterator[VideoSDK]:
    with HttpClient(allow_private_addresses=True) as http:
        yield make_adapter(sandbox, http)


def make_adapter(sandbox: RunningSandbox, http: HttpClient, **changes: str) -> VideoSDK:
    names = ("api_key", "secret")
    credentials = {name: sandbox.keys[f"videosdk_{name}"] for name in names} | changes
    return VideoSDK(Account(sandbox.api_url("videosdk"), credentials), http)


def wait(videosdk: VideoSDK, remote_id: str, status: JobStatus) -> RemoteJob:
    until = time.monotonic() + PATIENCE_S
    while (job := videosdk.get_job(remote_id)).status is not status:
        assert time.monotonic() < until, job.status
        time.sleep(0.05)
    return job


def test_a_submission_is_followed_to_its_end(sandbox: RunningSandbox, videosdk: VideoSDK) -> None:
    videosdk.check_credentials()
    created = videosdk.submit(REQUEST, KEY)
    assert (created.status, created.key) == (JobStatus.QUEUED, KEY)
    assert created.created_at
    expected = [output.remote_id for output in created.outputs]
    assert len(expected) == 3
    sandbox.set_time_scale(100)
    done = wait(videosdk, created.remote_id, JobStatus.SUCCEEDED)
    assert done.started_at
    assert done.finished_at
    assert [output.slot for output in done.outputs[:3]] == expected
    assert not {output.remote_id for output in done.outputs} & set(expected)
    assert {output.status for output in done.outputs} == {OutputStatus.SUCCEEDED}
    assert [output.label for output in done.outputs] == ["360p", "240p", "360p", None]
    assert [output.kind for output in done.outputs] == [
        OutputKind.PLAYLIST,
        OutputKind.VIDEO,
        OutputKind.VIDEO,
        OutputKind.IMAGE,
    ]
    assert {preset.remote_id for preset in done.presets} == {"hls:240,480", "mp4:240,360"}
    assert next(videosdk.list_jobs()).jobs == (done,)


def test_a_lost_answer_is_found_by_source_and_time(
    sandbox: RunningSandbox, videosdk: VideoSDK
) -> None:
    since = datetime.now(UTC) - timedelta(seconds=2)
    videosdk.submit(replace(REQUEST, input="https://media.example.com/in/Other.mov"), "1" * 32)
    assert videosdk.find_by_key(KEY, REQUEST, since).job is None
    made = videosdk.submit(REQUEST, KEY)
    found = videosdk.find_by_key(KEY, REQUEST, since).job
    assert found
    assert found.remote_id == made.remote_id


def test_a_queued_job_is_cancelled_and_gone_and_no_other_is(
    sandbox: RunningSandbox, videosdk: VideoSDK
) -> None:
    gone, kept = (videosdk.submit(REQUEST, KEY).remote_id for _ in range(2))
    videosdk.cancel(gone)
    with pytest.raises(NotFound):
        videosdk.get_job(gone)
    sandbox.set_time_scale(100)
    wait(videosdk, kept, JobStatus.SUCCEEDED)
    with pytest.raises(Conflict):
        videosdk.cancel(kept)


def test_all_pages_are_read(sandbox: RunningSandbox, videosdk: VideoSDK) -> None:
    made = [videosdk.submit(REQUEST, KEY).remote_id for _ in range(45)]
    pages = list(videosdk.list_jobs())
    assert [page.cursor for page in pages] == ["2", "3", None]
    assert [job.remote_id for page in pages for job in page.jobs] == made[::-1]


def test_a_withdrawn_service_is_reported_as_such(
    sandbox: RunningSandbox, videosdk: VideoSDK
) -> None:
    made = videosdk.submit(REQUEST, KEY)
    sandbox.set_faults({"withdrawn": 1})
    with HttpClient(allow_private_addresses=True) as http:
        fresh = make_adapter(sandbox, http)
        for call in (fresh.check_credentials, lambda: fresh.get_job(made.remote_id)):
            with pytest.raises(Withdrawn):
                call()
    sandbox.set_faults({"withdrawn": 0, "html": 1})
    with pytest.raises(Withdrawn):
        videosdk.check_credentials()


def test_a_wrong_secret_is_refused(sandbox: RunningSandbox) -> None:
    with HttpClient(allow_private_addresses=True) as http, pytest.raises(AuthRefused):
        make_adapter(sandbox, http, secret="another one").check_credentials()
