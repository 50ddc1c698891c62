"""How TPStreams' jobs are read: its traps, one by one."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import responses

from providers.core.contract import Account
from providers.core.errors import CLASSES
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind, RemoteError, RemoteJob
from providers.http.client import HttpClient
from providers.http.redaction import REDACTED, redact
from providers.tpstreams.adapter import TPStreams
from providers.tpstreams.bodies import ERRORS

BASE = "https://tpstreams.example.com/api/v1"
JOBS = f"{BASE}/6dnpyx/transcoding_jobs/"

Load = Callable[[str], Any]
Read = Callable[..., RemoteJob]


@pytest.fixture
def tpstreams(http: HttpClient) -> TPStreams:
    account = Account(BASE, {"token": "ab12cd34ef56"}, {"organization_id": "6dnpyx"})
    return TPStreams(account, http)


@pytest.fixture
def read(tpstreams: TPStreams, wire: responses.RequestsMock) -> Read:
    """Read one job with these keys the way its details give it."""

    def read_body(**body: Any) -> RemoteJob:
        body = {"id": "abc", **body}
        wire.get(f"{JOBS}abc/", json=body)
        job = tpstreams.get_job("abc")
        wire.reset()
        return job

    return read_body


# Jobs


def test_a_completed_job_is_read_whole(read: Read, load: Load) -> None:
    job = read(**load("tpstreams/job_completed.json"))
    assert (job.remote_id, job.status, job.provider_status) == (
        "pX93vRtYc1u",
        JobStatus.SUCCEEDED,
        "Completed",
    )
    assert job.name == "Ferry crossing.mov"
    assert (job.progress, job.errors, job.key) == (100, (), None)
    assert job.created_at is job.updated_at is None
    assert job.started_at == datetime(2026, 3, 11, 8, 10, 0, 500_000, UTC)
    assert job.finished_at == datetime(2026, 3, 11, 8, 14, 30, 250_000, UTC)
    assert job.input.duration_ms == 95_000
    assert job.metadata == {"asset": 9041, "tags": ["ferry", "dawn"]}
    assert [(o.remote_id, o.label, o.height, o.kind, o.status) for o in job.outputs] == [
        ("240p", "240p", 240, OutputKind.VIDEO, OutputStatus.SUCCEEDED),
        ("480p", "480p", 480, OutputKind.VIDEO, OutputStatus.SUCCEEDED),
    ]
    assert {(o.progress, o.format, o.duration_ms) for o in job.outputs} == {(100, None, None)}


def test_renditions_are_as_far_as_their_job(read: Read, load: Load) -> None:
    for name, status, progress in (
        ("queued", OutputStatus.QUEUED, None),
        ("transcoding", OutputStatus.RUNNING, None),
        ("error", OutputStatus.FAILED, None),
        ("cancelled", OutputStatus.CANCELLED, None),
    ):
        job = read(**load(f"tpstreams/job_{name}.json"))
        assert {output.status for output in job.outputs} == {status}
        assert {output.progress for output in job.outputs} == {job.progress} == {progress}
        assert {output.provider_status for output in job.outputs} == {job.provider_status}


def test_the_same_job_is_read_alike_from_its_four_shapes(read: Read, load: Load) -> None:
    bodies = [
        load("tpstreams/list_page_1.json")["results"][1],
        load("tpstreams/job_transcoding.json"),
        load("tpstreams/webhook_job.json"),
    ]
    assert len({frozenset(body) for body in bodies}) == 3
    jobs = [read(**body) for body in bodies]
    assert {job.status for job in jobs} == {JobStatus.RUNNING}
    assert [job.provider_status for job in jobs] == ["transcoding", "Transcoding", "transcoding"]
    assert {tuple(output.remote_id for output in job.outputs) for job in jobs} == {("240p", "480p")}
    assert len({job.input for job in jobs[:2]}) == 1
    assert [job.metadata for job in jobs] == [None, None, {"desk": "news"}]


@pytest.mark.parametrize(
    ("status_label", "status"),
    [
        ("Not Started", JobStatus.QUEUED),
        ("not_started", JobStatus.QUEUED),
        ("Processing", JobStatus.RUNNING),
        ("CANCELLED", JobStatus.CANCELLED),
        ("Canceled", JobStatus.CANCELLED),
        ("Cancelling", JobStatus.UNKNOWN),
        ("ready", JobStatus.UNKNOWN),
    ],
)
def test_statuses_that_are_not_documented_for_jobs(
    read: Read, status_label: str, status: JobStatus
) -> None:
    job = read(status=status_label, resolutions=["240p"])
    assert (job.status, job.provider_status) == (status, status_label)
    assert job.outputs[0].status == OutputStatus(status.value)


def test_no_progress_is_reported_whatever_a_key_of_that_name_holds(read: Read) -> None:
    """That of assets is 0 in every sample, finished ones included."""
    for reported in (0, 40):
        assert read(status="Transcoding", progress=reported).progress is None
        assert read(status="Completed", progress=reported).progress == 100


def test_the_status_alone_says_how_far_a_job_is(read: Read, load: Load) -> None:
    failed = read(**load("tpstreams/job_error.json"))
    assert (failed.status, failed.finished_at) == (JobStatus.FAILED, None)
    ended = read(status="Transcoding", end_time="2026-03-11T08:14:30Z")
    assert ended.status is JobStatus.RUNNING
    warned = read(status="Transcoding", error_message="A segment was tried again")
    assert warned.status is JobStatus.RUNNING


@pytest.mark.parametrize(
    ("value", "expected_ms"),
    [
        (None, None),
        ("00:01:43", 103_000),
        ("00:01:43.250000", 103_250),
        ("1 02:03:04", 93_784_000),
        ("2 days, 0:00:01", 172_801_000),
        ("1 day, 0:00:00.500000", 86_400_500),
        (120, 120_000),
        (120.5, 120_500),
        ("120", 120_000),
        (0, None),
        ("00:00:00", None),
        (-5, None),
        ("-1 23:00:00", None),
        ("1 soon", None),
        (2**70, None),
        (True, None),
        ([], None),
    ],
)
def test_durations_come_in_many_forms(read: Read, value: Any, expected_ms: int | None) -> None:
    assert read(video_duration=value).input.duration_ms == expected_ms


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("2026-03-11T14:02:09.120334+05:30", datetime(2026, 3, 11, 8, 32, 9, 120334, UTC)),
        ("2026-03-11T20:10:00+12:00", datetime(2026, 3, 11, 8, 10, tzinfo=UTC)),
        ("2026-03-11T08:10:00Z", datetime(2026, 3, 11, 8, 10, tzinfo=UTC)),
        # live streams write these; which zone they mean is not reported
        ("2023-12-06 16:37:56", None),
        ("September 22, 2025, 05:59 PM", None),
        (None, None),
    ],
)
def test_times_are_read_where_they_name_their_zone(
    read: Read, value: Any, expected: datetime | None
) -> None:
    job = read(start_time=value, end_time=value)
    assert job.started_at == job.finished_at == expected
    assert expected is None or job.started_at.utcoffset() == timedelta(0)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("resolutions", "expected"),
    [
        (["240p", "480p", "240p"], [("240p", 240), ("480p", 480)]),
        ([240, "480"], [("240p", 240), ("480p", 480)]),
        (["source", None, {}, "2160p"], [("source", None), ("2160p", 2160)]),
        (None, []),
        ("240p", []),
    ],
)
def test_resolutions_become_outputs(
    read: Read, resolutions: Any, expected: list[tuple[str, int | None]]
) -> None:
    outputs = read(resolutions=resolutions).outputs
    assert [(output.remote_id, output.height) for output in outputs] == expected


# Addresses and their secrets


@pytest.mark.parametrize(
    "link",
    [
        "s3://reels/out/?access_key=canaryAK&secret_key=canarySK&region=eu-west-1",
        "s3://reels/out/?access_key=canaryAK&secret_key=canary/with+slash=/canary&region=eu-west-1",
        "s3://reels/out/?secret_key=canary/+%2F&access_key=canary",
        "s3://wasabi.example/reels/private/?access_key=canary&secret_key=canary&region=us",
        "s3://reels/clip.mp4/?access_key=canary&secret_key=canary/x",
        # `&reg` read as HTML, as on a crawled page
        "s3://reels/out/?access_key=canary&secret_key=canary\N{REGISTERED SIGN}ion=eu-west-1",
        "s3://canary:canary@reels/out/",
    ],
)
def test_storage_keys_are_redacted_and_not_kept(read: Read, link: str) -> None:
    for body in (
        {"input_url": link, "output_path": link, "resolutions": ["240p", "480p"]},
        {"input_path": link, "output_path": link, "resolutions": ["240p", "480p"]},
    ):
        job = read(**body)
        assert "canary" not in repr(job)
        assert job.input.url
        assert job.input.url.startswith("s3://")
        assert job.outputs[0].url == job.outputs[1].url == job.input.url
        assert (job.input.secret_url, job.outputs[0].secret_url) == (None, None)


def test_the_region_stays_behind_a_redacted_key(read: Read) -> None:
    path = "s3://reels/out/?access_key=canaryAK&secret_key=canary/Sk+9a/&region=eu-west-1"
    assert read(input_path=path).input.url == (
        f"s3://reels/out/?access_key={REDACTED}&secret_key={REDACTED}&region=eu-west-1"
    )


def test_a_signed_source_opens_by_its_whole_url_alone(read: Read, load: Load) -> None:
    body = load("tpstreams/job_transcoding.json")
    job = read(**body)
    assert job.input.secret_url == body["input_url"]
    assert "canary" not in (job.input.url or "")
    assert "X-Amz-Expires=7200" in (job.input.url or "")
    assert "canary" not in json.dumps(job.raw)


def test_a_long_signature_is_kept_to_its_end(read: Read) -> None:
    link = f"https://h/a.mp4?X-Amz-Security-Token={'canary' * 500}&X-Amz-Signature=canary"
    job = read(input_url=link)
    assert job.input.secret_url == link
    assert "canary" not in repr((job.input.url, job.raw))


def test_the_accounts_own_token_is_not_repeated(read: Read) -> None:
    phrase = "Signed in with ab12cd34ef56"
    job = read(status="Error", error_message=phrase, input_url="https://h/ab12cd34ef56/a.mov")
    assert "ab12cd34ef56" not in repr(replace(job, input=replace(job.input, secret_url=None)))


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("https://h/a1b2c3.mp4?X-Amz-Date=1&response-content-disposition=attachment", "a1b2c3.mp4"),
        (
            "https://h/a1b2.mp4?response-content-disposition=attachment%3B+filename%3DFinal+cut.mp4",
            "Final cut.mp4",
        ),
        (
            "https://h/a1?response-content-disposition=attachment;filename=%22../x/Day%201%22.mov",
            "Day 1",
        ),
        (
            "https://h/a1?Response-Content-Disposition=inline%3B+filename%2A%3DUTF-8%27%27a%2520b.mp4",
            "a%20b.mp4",
        ),
        ("s3://reels/clip.mp4/?access_key=x&secret_key=y", "clip.mp4"),
        ("s3://wasabi.example/reels/clip%201.mp4", "clip 1.mp4"),
        (None, None),
        (7, "7"),
    ],
)
def test_a_job_is_named_by_the_file_that_people_know(
    read: Read, link: Any, name: str | None
) -> None:
    assert read(input_url=link).name == name


@pytest.mark.parametrize("content_id", ["8f0e6c1d4b7a49f2", "8f0e6c1d-4b7a-49f2"])
def test_drm_facts_are_kept_as_they_came(read: Read, content_id: str) -> None:
    raw = read(enable_drm=True, drm_content_id=content_id, type="transcoding_job").raw
    assert (raw["enable_drm"], raw["drm_content_id"]) == (True, content_id)


def test_secrets_that_other_lists_of_the_api_report_would_be_redacted() -> None:
    reported = {
        "secret_token": "canary-hook",
        "drm_aes_signing_key": "canary-aes",
        "name": "Streams",
    }
    assert redact(reported) == {
        "secret_token": REDACTED,
        "drm_aes_signing_key": REDACTED,
        "name": "Streams",
    }


# Errors


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("The specified input URL does not exist or cannot be accessed", "input.not_found"),
        ("The source URL has expired", "input.access_denied"),
        ("Input file: 403 Forbidden", "input.access_denied"),
        ("Connection to the source timed out", "input.timeout"),
        ("The input has no video stream", "input.no_media"),
        ("Invalid data found when processing input", "input.corrupt"),
        ("Unsupported codec prores_raw", "input.unsupported"),
        ("The output bucket does not exist", "output.not_found"),
        ("Access denied while uploading segment 4", "output.access_denied"),
        ("Upload of segment 4 broke off", "output.failed"),
        ("1080p is no resolution of this source", "settings.invalid"),
        ("FFmpeg exited with code 1", "encode.failed"),
        ("The transcoding timed out", "provider.timeout"),
        ("No minutes left in your subscription", "quota.plan"),
        ("Internal error", "provider.outage"),
        ("It rained", "unknown"),
    ],
)
def test_errors_are_classed_by_their_messages(read: Read, message: str, expected: str) -> None:
    job = read(status="Error", error_message=message)
    assert job.errors == (RemoteError(expected, "", message),)


def test_a_job_that_failed_without_a_message_is_unknown(read: Read) -> None:
    messages: tuple[Any, ...] = (None, "", "  ", [], {})
    for message in messages:
        assert read(status="error", error_message=message).errors == (RemoteError("unknown"),)
    assert read(status="Transcoding", error_message=None).errors == ()


def test_an_error_is_reported_without_the_secrets_in_it(read: Read, load: Load) -> None:
    (error,) = read(**load("tpstreams/job_error.json")).errors
    assert error.error_class == "input.not_found"
    assert error.message.endswith(f"gone.mov?token={REDACTED}")


def test_every_pattern_names_a_class_of_ours_and_is_documented() -> None:
    named = {name for _, name in ERRORS.patterns}
    page = (Path(__file__).parents[2] / "docs" / "providers" / "tpstreams.md").read_text()
    assert named <= set(CLASSES)
    assert named == set(re.findall(r"^\| `(\w+\.\w+)` \|", page, re.MULTILINE))
