"""The traps of Zencoder's bodies, one by one. What all adapters share is in test_contract.py."""

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest
import responses

from providers.core.contract import Account
from providers.core.errors import AuthRefused
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import (
    OutputKind,
    RemoteError,
    RemoteJob,
)
from providers.http.client import HttpClient
from providers.http.redaction import REDACTED
from providers.zencoder.adapter import Zencoder
from providers.zencoder.error_table import ERROR_CLASSES
from tests.providers.cases.zencoder import BASE_URL as BASE
from tests.providers.cases.zencoder import make_job, serve_pages

KEY = "0f8fad5bd9cb469fa16570867728950e"

# By https://zencoder.support.brightcove.com/error-troubleshooting/error-codes/
DOCUMENTED = """
AkamaiNetStorageFileSizeError ChecksumMismatchError DimensionTooSmallError
DownloadAccessDeniedError DownloadFailureError DownloadTimeoutError FileNotFoundError
FilePermanentlyMovedError InaccurateDurationError IncompatibleWithDynamicProfilesError
InputFileNotFound InvalidAccessKeyIdError InvalidAudioSettingsError InvalidCodecCombinationError
InvalidDownloadedFileTypeError InvalidEncryptionSettingsError InvalidFilePathError
InvalidFormatCodecError InvalidFrameRateError InvalidUsernameOrPasswordError
InvalidVideoBitrateError InvalidVideoSettingsError NoMediaError QuicktimeReferenceError
RemoteServerProblemError RTMPAuthFailedError RTMPMaxStreamsXIdReached RTMPStreamNameAlreadyInUse
S3BucketNotFoundError SegmentingError SkippedSourceError ThumbnailError TranscodingError
Transfer::InvalidGranteeGroupURLError Transfer::InvalidGranteeIDError TruncatedFileError
UnableToCreateDynamicProfilesError UnexpectedDownloadProblemError UnexpectedFfmpegResult
UnexpectedMplayerResult UnexpectedProgenResult UnexpectedResultError UnexpectedUploadProblemError
UnexpectedX264Result UnreadableFileError UnsupportedCodecError UnsupportedEncodingError
UnsupportedEncryptionError UnsupportedTranscodeCombinationError UploadAccessDeniedError
UploadFailureError UploadServerNotFoundError UploadTimeoutError WorkerTimeoutError
"""

Load = Callable[[str], Any]


@pytest.fixture
def zencoder(http: HttpClient) -> Zencoder:
    return Zencoder(Account(BASE, {"api_key": "canary-full-access-key"}), http)


@pytest.fixture
def read(zencoder: Zencoder, wire: responses.RequestsMock) -> Callable[[Any], RemoteJob]:
    """Read one job body the way a list gives it."""

    def read_body(body: Any) -> RemoteJob:
        wire.get(f"{BASE}/jobs", json=[body])
        (job,) = next(zencoder.list_jobs()).jobs
        wire.reset()
        return job

    return read_body


# Reading the list


def test_pages_are_asked_for_one_by_one_until_a_short_one(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    serve_pages(
        wire,
        [
            [make_job(n) for n in range(150, 100, -1)],
            [make_job(n) for n in range(101, 51, -1)],  # one was created in between
            [make_job(n) for n in range(51, 49, -1)],
        ],
    )
    pages = zencoder.list_jobs()
    assert [job.remote_id for job in next(pages).jobs][:2] == ["150", "149"]
    assert len(wire.calls) == 1
    rest = list(pages)
    assert [page.cursor for page in rest] == ["3", None]
    assert rest[0].jobs[0].remote_id == "101"
    assert wire.calls[0].request.headers["Zencoder-Api-Key"] == "canary-full-access-key"


def test_a_cursor_resumes_and_a_senseless_one_starts_anew(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    serve_pages(wire, [[make_job(9)], [make_job(5)]])
    assert next(zencoder.list_jobs("2")).jobs[0].remote_id == "5"
    assert next(zencoder.list_jobs("soon")).jobs[0].remote_id == "9"
    assert next(zencoder.list_jobs("-4")).jobs[0].remote_id == "9"


def test_a_full_last_page_is_followed_by_an_empty_one(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    serve_pages(wire, [[make_job(n) for n in range(50, 0, -1)], []])
    assert [(len(page.jobs), page.cursor) for page in zencoder.list_jobs()] == [
        (50, "2"),
        (0, None),
    ]


def test_a_server_that_ignores_the_page_number_is_not_read_for_ever(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    wire.get(f"{BASE}/jobs", json=[make_job(n) for n in range(50, 0, -1)])
    assert len(list(islice(zencoder.list_jobs(), 9))) == 2


def test_items_come_with_and_without_the_wrapper_and_unreadable_ones_are_left_out(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    items = [make_job(3), make_job(2)["job"], None, "x", {"job": None}, make_job(1, id=None)]
    wire.get(f"{BASE}/jobs", json=items)
    (page,) = zencoder.list_jobs()
    assert [job.remote_id for job in page.jobs] == ["3", "2"]


def test_a_read_only_key_is_reported_as_such(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    for path in ("/jobs", "/account"):
        for status in (401, 403):
            wire.upsert("GET", BASE + path, body="Forbidden", status=status)
            with pytest.raises(AuthRefused, match="read-only"):
                list(zencoder.list_jobs()) if path == "/jobs" else zencoder.check_credentials()


def test_the_rate_that_is_left_is_read_from_lists_and_details_only(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    body = make_job(7, state="processing")
    wire.get(f"{BASE}/jobs/7", json=body, headers={"X-Zencoder-Rate-Remaining": "58"})
    wire.get(f"{BASE}/jobs/7/progress", json={}, headers={"X-Zencoder-Rate-Remaining": "4999"})
    zencoder.get_job("7")
    assert zencoder.http.rate_remaining == 58


# Reading a job


def test_a_finished_job_is_read_whole(read: Callable[[Any], RemoteJob], load: Load) -> None:
    job = read(load("zencoder/job_finished.json"))
    assert job.remote_id == "734500123457"
    assert job.name == "Harbour at dawn.mov"
    assert job.progress == 100
    assert job.created_at == datetime(2026, 3, 2, 9, 15, tzinfo=UTC)
    assert job.finished_at == job.updated_at == datetime(2026, 3, 2, 9, 17, 42, tzinfo=UTC)
    assert (job.metadata, job.key) == ("episode 12", KEY)
    assert job.is_test is False
    assert job.input.url == f"s3://{REDACTED}@eu-west-1/rushes/Harbour%20at%20dawn.mov"
    assert job.input.secret_url
    assert (job.input.duration_ms, job.input.size_bytes) == (94_210, 31_457_280)
    assert (job.input.width, job.input.height, job.input.frame_rate) == (1920, 1080, 25)
    small, skipped, playlist, *images = job.outputs
    assert (small.kind, small.status, small.label) == (
        OutputKind.VIDEO,
        OutputStatus.SUCCEEDED,
        "mp4-360p",
    )
    assert small.url
    assert small.url.endswith(
        f"harbour-360.mp4?AWSAccessKeyId={REDACTED}&Signature={REDACTED}&Expires=1772529301"
    )
    assert small.secret_url
    assert small.expires_at == datetime(2026, 3, 3, 9, 15, 1, tzinfo=UTC)
    assert (small.width, small.height, small.video_bitrate_kbps) == (640, 360, 560)
    assert (skipped.status, skipped.secret_url, skipped.expires_at) == (
        OutputStatus.SKIPPED,
        None,
        None,
    )
    assert playlist.kind is OutputKind.PLAYLIST
    assert (playlist.width, playlist.duration_ms, playlist.size_bytes) == (None, None, None)
    assert [(image.kind, image.label, image.size_bytes) for image in images] == [
        (OutputKind.IMAGE, "poster", 20_480),
        (OutputKind.IMAGE, "poster", 19_456),
    ]
    assert [image.expires_at for image in images] == [small.expires_at, None]
    assert len({output.remote_id for output in job.outputs}) == 5


# The statuses of the reference, of recordings and of official clients.
QUEUED = ("waiting", "pending", "queued", "assigning", "ready")
RUNNING = ("processing", "uploading")
ENDED = {
    "finished": OutputStatus.SUCCEEDED,
    "failed": OutputStatus.FAILED,
    "no input": OutputStatus.FAILED,
    "no_input": OutputStatus.FAILED,
    "cancelled": OutputStatus.CANCELLED,
    "skipped": OutputStatus.SKIPPED,
}


def test_outputs_are_read_by_all_statuses_that_were_ever_seen(
    read: Callable[[Any], RemoteJob],
) -> None:
    expected = {
        **dict.fromkeys(QUEUED, OutputStatus.QUEUED),
        **dict.fromkeys(RUNNING, OutputStatus.RUNNING),
        **ENDED,
        "reticulating": OutputStatus.UNKNOWN,
    }
    parts = [
        {"id": number, "state": status_label}
        for number, status_label in enumerate(expected, start=1)
    ]
    outputs = read(make_job(7, state="processing", output_media_files=parts)).outputs
    assert {output.provider_status: output.status for output in outputs} == expected
    done = [output.provider_status for output in outputs if output.progress is not None]
    assert done == ["finished"]
    assert outputs[list(expected).index("finished")].progress == 100


@pytest.mark.parametrize("status_label", ["submitting", "transcoding"])
def test_statuses_of_a_clients_own_records_are_no_states_of_a_job(
    read: Callable[[Any], RemoteJob], status_label: str
) -> None:
    """The reference lists them for jobs; they come from its advice on what a client keeps."""
    assert read(make_job(7, state=status_label)).status is JobStatus.UNKNOWN


def test_the_job_is_as_old_as_its_submission_where_nothing_else_is_reported(
    read: Callable[[Any], RemoteJob],
) -> None:
    submitted = "2012-05-04T10:00:00-05:00"  # old answers have offsets, new ones Z
    created = "2012-05-04T14:59:58Z"
    job = read(make_job(7, created_at=created, submitted_at=submitted))
    assert job.created_at == datetime(2012, 5, 4, 14, 59, 58, tzinfo=UTC)
    job = read(make_job(7, submitted_at=submitted))
    assert job.created_at == datetime(2012, 5, 4, 15, tzinfo=UTC)


def test_media_fields_of_a_playlist_that_are_zero_are_not_reported(
    read: Callable[[Any], RemoteJob],
) -> None:
    names = ("frame_rate", "height", "video_bitrate_in_kbps", "audio_bitrate_in_kbps")
    part = {"id": 2, "state": "finished", "type": "playlist", **dict.fromkeys(names, 0)}
    (output,) = read(make_job(7, output_media_files=[part])).outputs
    assert output.kind is OutputKind.PLAYLIST  # by its type, without a URL
    assert output.frame_rate is output.height is None
    assert output.video_bitrate_kbps is output.audio_bitrate_kbps is None


def test_kinds_come_from_the_type_then_from_the_codecs(read: Callable[[Any], RemoteJob]) -> None:
    parts = [
        {"id": 2, "type": "captions"},
        {"id": 3, "audio_codec": "aac"},
        {"id": 4, "audio_codec": "aac", "video_codec": "h264", "type": "standard"},
    ]
    outputs = read(make_job(7, output_media_files=parts)).outputs
    assert [output.kind for output in outputs] == [
        OutputKind.CAPTIONS,
        OutputKind.AUDIO,
        OutputKind.VIDEO,
    ]


def test_grouped_thumbnails_of_outputs_become_images_as_well(
    read: Callable[[Any], RemoteJob], load: Load
) -> None:
    notification = load("zencoder/notification_job.json")
    body = {**notification["job"], "output_media_files": notification["outputs"]}
    job = read(body)
    images = [output for output in job.outputs if output.kind is OutputKind.IMAGE]
    assert [(image.width, image.height, image.label, image.format) for image in images] == [
        (640, 360, "poster", "png"),
        (640, 360, "poster", "png"),
        (1280, 720, "poster", "png"),
        (1280, 720, "poster", "png"),
    ]
    assert len({image.remote_id for image in images}) == 4
    assert job.outputs[0].size_bytes == 7_340_032  # called file_size_in_bytes here


def test_a_fault_of_the_input_is_the_fault_of_the_job(
    read: Callable[[Any], RemoteJob], load: Load
) -> None:
    job = read(load("zencoder/job_input_failed.json"))
    assert job.status is JobStatus.FAILED
    message = f"https://{REDACTED}@media.example.com/brochure.pdf holds no audio or video tracks."
    assert job.errors == (RemoteError("input.no_media", "NoMediaError", message, "input"),)
    assert [output.status for output in job.outputs] == [OutputStatus.FAILED] * 2
    assert [output.provider_status for output in job.outputs] == ["no_input", "no input"]


def test_a_fault_of_an_output_is_kept_with_that_output(
    read: Callable[[Any], RemoteJob], load: Load
) -> None:
    job = read(load("zencoder/job_output_failed.json"))
    (error,) = job.errors
    assert (error.error_class, error.origin) == ("output.access_denied", "output:8123456761")
    assert [output.error for output in job.outputs] == [None, error]


def test_a_failed_job_without_a_reason_says_so(read: Callable[[Any], RemoteJob]) -> None:
    assert read(make_job(7, state="failed")).errors == (RemoteError("unknown"),)
    assert read(make_job(7, state="cancelled")).errors == ()


@pytest.mark.parametrize(
    "errors", ["Out of paper.", ["Out of paper."], [None, "Out of paper.", 0.5]]
)
def test_errors_on_the_job_itself_are_read_as_text_or_list(
    read: Callable[[Any], RemoteJob], errors: Any
) -> None:
    assert read(make_job(7, state="failed", errors=errors)).errors[0] == RemoteError(
        "unknown", "", "Out of paper.", "job"
    )


def test_all_documented_classes_are_mapped() -> None:
    assert len(DOCUMENTED.split()) == 54
    assert set(DOCUMENTED.split()) <= set(ERROR_CLASSES)


@pytest.mark.parametrize(
    ("origin", "code", "message", "expected"),
    [
        ("input", "S3BucketNotFoundError", "", "input.not_found"),
        ("output", "S3BucketNotFoundError", "", "output.not_found"),
        ("output", "UnableToResolveHostError", "", "output.not_found"),
        ("input", "Transfer::InvalidGranteeIDError", None, "settings.invalid"),
        ("input", "BrandNewError", "Permission denied by the server.", "input.access_denied"),
        ("output", "BrandNewError", "Access denied to the bucket.", "output.access_denied"),
        ("input", None, "The file is truncated.", "input.corrupt"),
        ("output", "Vendor::BrandNewError", "It rained.", "unknown"),
        ("input", 17, ["x"], "unknown"),
    ],
)
def test_error_classes_by_code_then_by_message(
    read: Callable[[Any], RemoteJob], origin: str, code: Any, message: Any, expected: str
) -> None:
    fault = {"id": 5, "state": "failed", "error_class": code, "error_message": message}
    parts = {"input_media_file": fault} if origin == "input" else {"output_media_files": [fault]}
    (error,) = read(make_job(7, state="failed", **parts)).errors
    assert error.error_class == expected
    assert error.code == (str(code) if code else "")


def test_an_old_style_fault_is_named_by_its_link(read: Callable[[Any], RemoteJob]) -> None:
    fault = {
        "id": 5,
        "error_message": "No.",
        "error_link": "http://z.example.com/errors/#NoMediaError",
    }
    assert read(make_job(7, output_media_files=[fault])).errors[0].code == "NoMediaError"


def test_an_upload_that_fell_back_is_finished_and_yet_reported(
    read: Callable[[Any], RemoteJob], load: Load
) -> None:
    notification = load("zencoder/notification_output.json")
    body = {**notification["job"], "state": "finished", "outputs": [notification["output"]]}
    job = read(body)
    assert job.status is JobStatus.SUCCEEDED
    assert job.outputs[0].status is OutputStatus.SUCCEEDED
    error = job.outputs[0].error
    assert error
    assert (error.error_class, error.code) == ("output.not_found", "UnableToResolveHostError")
    assert "canary" not in error.message
    assert job.raw["outputs"][0]["backup_server_used"] is True


@pytest.mark.parametrize(
    ("reported", "expected"),
    [
        (
            {
                "primary_thumbnail_upload_error_link": "http://z.example.com/#UploadTimeoutError",
                "primary_thumbnail_upload_error_message": "The pictures came too slowly.",
            },
            ("output.failed", "UploadTimeoutError", "The pictures came too slowly."),
        ),
        (
            {
                "primary_upload_error_link": "http://z.example.com/#UploadAccessDeniedError",
                "primary_thumbnail_upload_error_message": "The pictures came too slowly.",
            },
            ("output.access_denied", "UploadAccessDeniedError", ""),
        ),
        ({"primary_upload_error_message": "It rained."}, ("output.failed", "", "It rained.")),
        ({}, ("output.failed", "", "")),
    ],
)
def test_a_fallback_is_reported_by_the_fault_of_the_file_or_of_its_thumbnails(
    read: Callable[[Any], RemoteJob], reported: dict[str, str], expected: tuple[str, str, str]
) -> None:
    output = {"id": 2, "state": "finished", "backup_server_used": True, **reported}
    error = read(make_job(7, output_media_files=[output])).outputs[0].error
    assert error
    assert (error.error_class, error.code, error.message) == expected


def test_a_size_that_the_plan_does_not_allow_is_no_fault_of_the_encoder(
    read: Callable[[Any], RemoteJob],
) -> None:
    message = "This source is in 8K. Your account is not enabled for 8k transcoding."
    fault = {"id": 5, "state": "failed", "error_message": message}
    assert read(make_job(7, state="failed", output_media_files=[fault])).errors == (
        RemoteError("quota.plan", "", message, "output:5"),
    )


def test_a_sanitised_answer_of_a_read_only_key_is_read(read: Callable[[Any], RemoteJob]) -> None:
    parts = {"input_media_file": {"id": 1}, "output_media_files": [{"id": 2}, {"id": 3}]}
    job = read(make_job(7, **parts))
    assert job.name is None
    assert [output.url for output in job.outputs] == [None, None]


def test_a_live_job_with_a_stream_is_read(read: Callable[[Any], RemoteJob]) -> None:
    stream = {"id": 9, "name": "x", "region": 4, "url": "rtmp://live.example.com/live"}
    assert read(make_job(7, state="processing", stream=stream)).status is JobStatus.RUNNING


def test_outputs_that_share_an_id_or_have_none_stay_apart(
    read: Callable[[Any], RemoteJob],
) -> None:
    parts = [{"id": 2, "label": "a"}, {"id": 2, "label": "b"}, {"label": "c"}, {"label": "d"}, None]
    outputs = read(make_job(7, output_media_files=parts)).outputs
    assert [(output.remote_id, output.label) for output in outputs] == [
        ("2", "a"),
        ("n2", "c"),
        ("n3", "d"),
    ]


@pytest.mark.parametrize(
    ("value", "metadata", "key"),
    [
        (f"rb:{KEY}", None, KEY),
        (f"episode 12 rb:{KEY}", "episode 12", KEY),
        (f"line\nline rb:{KEY}", "line\nline", KEY),
        ("episode 12", "episode 12", None),
        (f"rb:{KEY} and more", f"rb:{KEY} and more", None),
        (None, None, None),
        ({"episode": 12}, {"episode": 12}, None),
        (12, 12, None),
    ],
)
def test_our_key_is_taken_off_what_the_customer_kept(
    read: Callable[[Any], RemoteJob], value: Any, metadata: Any, key: str | None
) -> None:
    job = read(make_job(7, pass_through=value))
    assert (job.metadata, job.key) == (metadata, key)


def test_the_console_is_linked_for_the_real_service_only(
    http: HttpClient, wire: responses.RequestsMock, read: Callable[[Any], RemoteJob]
) -> None:
    assert read(make_job(7)).console_url is None
    real = Zencoder(Account(Zencoder.default_base_url, {}), http)
    wire.get(f"{Zencoder.default_base_url}/jobs", json=[make_job(7)])
    assert next(real.list_jobs()).jobs[0].console_url == "https://app.zencoder.com/jobs/7"
