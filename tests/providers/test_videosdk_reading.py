"""The traps of Video SDK's answers, one by one. What all adapters share is in test_contract.py."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import responses
from responses import matchers

from providers.core.contract import Account
from providers.core.errors import BadAnswer
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import OutputKind, RemoteJob
from providers.http.client import HttpClient
from providers.http.redaction import REDACTED
from providers.parsing.values import MAX_ITEMS
from providers.videosdk.adapter import VideoSDK
from providers.videosdk.bodies import MAX_EXPECTED

BASE = "https://videosdk.example.com/v1"
LIST = f"{BASE}/encoder/jobs/"

Load = Callable[[str], Any]
Read = Callable[[Any], RemoteJob]


@pytest.fixture
def videosdk(http: HttpClient) -> VideoSDK:
    return VideoSDK(Account(BASE, {"token": "eyJready.canary.token"}), http)


@pytest.fixture
def read(videosdk: VideoSDK, wire: responses.RequestsMock) -> Read:
    """Read one job body the way a list gives it."""

    def read_body(body: Any) -> RemoteJob:
        wire.get(LIST, json={"pageInfo": {}, "data": [body]})
        (job,) = next(videosdk.list_jobs()).jobs
        wire.reset()
        return job

    return read_body


def make_job(at: int, **changes: Any) -> dict[str, Any]:
    """A job whose id was made so many seconds after 1970."""
    return {"id": f"{at:08x}{'0' * 16}", "status": "completed", **changes}


def serve(
    wire: responses.RequestsMock,
    number: int,
    times: list[int],
    *,
    last: Any,
    current: Any = ...,
) -> None:
    current = number if current is ... else current
    info = {"currentPage": current, "perPage": 20, "lastPage": last}
    wire.get(
        LIST,
        json={"pageInfo": info, "data": [make_job(at) for at in times]},
        match=[matchers.query_param_matcher({"page": number, "perPage": 20})],
    )


def read_times(videosdk: VideoSDK, cursor: str | None = None) -> list[list[int]]:
    pages = videosdk.list_jobs(cursor)
    return [[int(job.remote_id[:8], 16) for job in page.jobs] for page in pages]


# The list


def test_pages_end_with_the_last_one_that_is_reported(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    serve(wire, 1, [90, 80], last=2)
    serve(wire, 2, [80, 70], last=2)  # one was created in between
    pages = list(videosdk.list_jobs())
    assert [page.cursor for page in pages] == ["2", None]
    assert [len(page.jobs) for page in pages] == [2, 2]
    assert wire.calls[0].request.headers["Authorization"] == "eyJready.canary.token"


@pytest.mark.parametrize("last", [0, 1, None, "none"])
def test_no_jobs_at_all_are_one_empty_page(
    videosdk: VideoSDK, wire: responses.RequestsMock, last: Any
) -> None:
    serve(wire, 1, [], last=last)
    assert read_times(videosdk) == [[]]


def test_pages_end_with_an_empty_one_where_no_last_one_is_reported(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    serve(wire, 1, [90, 80], last=None)
    serve(wire, 2, [70], last=None)
    serve(wire, 3, [], last=None)
    assert read_times(videosdk) == [[90, 80], [70], []]


@pytest.mark.parametrize("last", ["many", -2, {}, True])
def test_a_senseless_last_page_is_none_that_is_reported(
    videosdk: VideoSDK, wire: responses.RequestsMock, last: Any
) -> None:
    serve(wire, 1, [90, 80], last=last)
    serve(wire, 2, [], last=last)
    assert read_times(videosdk) == [[90, 80], []]


def test_the_end_is_recognized_by_the_number_that_the_page_gives_itself(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    serve(wire, 1, [90, 80], last="4", current="4")
    assert read_times(videosdk) == [[90, 80]]


@pytest.mark.parametrize("current", [None, "here", 0])
def test_a_page_without_a_number_is_the_one_that_was_asked_for(
    videosdk: VideoSDK, wire: responses.RequestsMock, current: Any
) -> None:
    serve(wire, 1, [90, 80], last=2, current=current)
    serve(wire, 2, [70], last=2, current=current)
    assert read_times(videosdk) == [[90, 80], [70]]


def test_a_server_that_ignores_the_page_number_is_not_read_for_ever(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    wire.get(LIST, json={"data": [make_job(90), make_job(80)]})
    assert read_times(videosdk) == [[90, 80], [90, 80]]


def test_a_list_that_is_oldest_first_is_read_from_its_end(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    serve(wire, 1, [10, 20], last=3)
    serve(wire, 2, [30, 40], last=3)
    serve(wire, 3, [50], last=3)
    pages = videosdk.list_jobs()
    first = next(pages)
    assert [int(job.remote_id[:8], 16) for job in first.jobs] == [50]
    assert len(wire.calls) == 2
    assert first.cursor
    assert read_times(videosdk, first.cursor) == [[40, 30], [20, 10]]


def test_an_end_that_shrank_meanwhile_is_found_again(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    serve(wire, 1, [10, 20], last=3)
    serve(wire, 2, [30], last=2)
    serve(wire, 3, [], last=2)
    assert read_times(videosdk) == [[30], [20, 10]]


def test_an_end_that_is_reported_but_not_there_is_a_bad_answer(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    serve(wire, 1, [10, 20], last=3)
    serve(wire, 3, [], last=3)
    with pytest.raises(BadAnswer):
        list(videosdk.list_jobs())


def test_a_senseless_cursor_starts_anew(videosdk: VideoSDK, wire: responses.RequestsMock) -> None:
    serve(wire, 1, [90], last=1)
    assert read_times(videosdk, "soon") == read_times(videosdk, "0") == [[90]]


# A job


def test_a_completed_job_is_read_whole(read: Read, load: Load) -> None:
    job = read(load("videosdk/job_completed.json"))
    assert job.remote_id == "69a555189c1f40b7e2000100"
    assert (job.input.url, job.name) == ("69a554289c1f40b7e2000077",) * 2
    assert job.created_at == datetime(2026, 3, 2, 9, 15, 4, 318000, tzinfo=UTC)
    assert job.started_at == datetime(2026, 3, 2, 9, 15, 6, 568000, tzinfo=UTC)
    assert job.finished_at == datetime(2026, 3, 2, 9, 15, 35, 318000, tzinfo=UTC)
    assert job.updated_at == datetime(2026, 3, 2, 9, 15, 35, 332000, tzinfo=UTC)
    assert (job.progress, job.metadata, job.key) == (
        100,
        {"episode": 12, "desk": "harbour"},
        None,
    )
    assert [(preset.remote_id, preset.name, preset.kind) for preset in job.presets] == [
        ("hls:240,480,720", "HLS 240p, 480p, 720p", "hls"),
        ("mp4:360,720", "MP4 360p, 720p", "mp4"),
    ]


def test_files_become_what_the_presets_asked_for(read: Read, load: Load) -> None:
    body = load("videosdk/job_completed.json")
    package, small, large, *images = read(body).outputs
    assert (package.kind, package.format, package.label) == (OutputKind.PLAYLIST, "hls", "720p")
    assert package.url == "https://cdn.example.net/encoded/videos/ferry/index.m3u8"
    assert (package.size_bytes, package.duration_ms) == (9_120_768, 31_240)
    # upright: the smaller side names it, and the larger file is the first in the list
    assert (small.label, small.width, small.height) == ("360p", 360, 640)
    assert (large.label, large.width, large.height) == ("720p", 720, 1280)
    assert (small.format, large.format) == ("mp4", "mp4")
    assert (package.preset_id, small.preset_id, large.preset_id) == (
        "hls:240,480,720",
        "mp4:360,720",
        "mp4:360,720",
    )
    assert [(image.kind, image.label, image.width, image.preset_id) for image in images] == [
        (OutputKind.IMAGE, None, None, None)
    ] * 4
    assert [image.format for image in images] == ["jpg", "jpg", "webp", "webp"]
    assert {output.status for output in read(body).outputs} == {OutputStatus.SUCCEEDED}


def test_a_url_is_taken_as_it_is_given(read: Read, load: Load) -> None:
    """The path of the file is that of another one, and the URL is signed."""
    body = load("videosdk/job_completed.json")
    large = read(body).outputs[2]
    assert large.secret_url == body["files"][0]["fileUrl"]
    assert large.url == (
        "https://cdn.example.net/encoded/videos/ferry-a.mp4"
        f"?Expires=1772529301&Signature={REDACTED}"
    )
    assert large.expires_at == datetime(2026, 3, 3, 9, 15, 1, tzinfo=UTC)


def test_what_is_asked_for_keeps_its_slot_when_it_becomes_a_file_with_an_id(
    read: Read, load: Load
) -> None:
    done = load("videosdk/job_completed.json")
    waiting = {**done, "status": "queued", "files": None}
    before = read(waiting).outputs
    assert [(output.kind, output.label, output.status) for output in before] == [
        (OutputKind.PLAYLIST, "720p", OutputStatus.QUEUED),
        (OutputKind.VIDEO, "360p", OutputStatus.QUEUED),
        (OutputKind.VIDEO, "720p", OutputStatus.QUEUED),
    ]
    after = read(done).outputs
    assert [output.slot for output in before] == [output.slot for output in after[:3]]
    assert [output.remote_id for output in before] == [output.slot for output in before]
    assert {output.remote_id for output in after} == {file["id"] for file in done["files"]}


def test_running_outputs_are_running_until_their_file_is_listed(read: Read, load: Load) -> None:
    job = read(load("videosdk/job_processing.json"))
    assert (job.status, job.provider_status, job.progress) == (
        JobStatus.RUNNING,
        "Processing",
        None,
    )
    made, to_come = job.outputs
    assert (made.label, made.status, made.provider_status) == ("240p", OutputStatus.SUCCEEDED, "")
    assert (to_come.label, to_come.status, to_come.url) == ("1080p", OutputStatus.RUNNING, None)


def test_a_file_of_another_size_than_asked_for_is_still_that_output(read: Read, load: Load) -> None:
    """A small source is not scaled up."""
    body = load("videosdk/job_completed.json")
    body["files"][0]["meta"]["resolution"] = {"width": 540, "height": 960}
    asked = read(body).outputs[2]
    assert asked.slot.endswith(":720")
    assert (asked.label, asked.size_bytes) == ("540p", 5_812_334)
    assert len(read(body).outputs) == 7


def test_a_file_that_a_completed_job_does_not_list_is_no_success(read: Read, load: Load) -> None:
    body = load("videosdk/job_completed.json")
    del body["files"][2]
    package = read(body).outputs[0]
    assert (package.kind, package.status, package.url) == (
        OutputKind.PLAYLIST,
        OutputStatus.UNKNOWN,
        None,
    )


def test_files_that_nobody_asked_for_come_under_their_own_id(read: Read, load: Load) -> None:
    body = load("videosdk/job_completed.json")
    body["presets"] = None
    job = read(body)
    assert job.presets == ()
    assert [output.remote_id for output in job.outputs] == [file["id"] for file in body["files"]]
    assert [output.preset_id for output in job.outputs] == [None] * 7


def test_a_job_without_a_time_is_as_old_as_its_id(read: Read, load: Load) -> None:
    job = read(load("videosdk/created.json"))
    assert job.created_at == datetime(2026, 3, 2, 10, 5, 4, tzinfo=UTC)
    assert read(make_job(0, id="77", createdAt=None)).created_at is None


def test_the_same_settings_are_one_preset_whatever_their_ids_and_spelling(read: Read) -> None:
    spelled = [["480", "4K", "240p"], ["4k", "240", "480"], [2160, 240, "480", "480"]]
    presets = [
        {"format": form, "resolutions": phrase, "id": f"{number}"}
        for number, (form, phrase) in enumerate(zip(["HLS", "hls", "hls"], spelled, strict=True))
    ]
    (preset,) = read(make_job(9, presets=presets)).presets
    assert preset.remote_id == "hls:240,480,4k"
    assert preset.name == "HLS 240p, 480p, 2160p"
    assert preset.settings == {"format": "hls", "resolutions": ["240", "480", "4k"]}


def test_unknown_resolutions_and_filters_pass_through(read: Read, load: Load) -> None:
    body = load("videosdk/job_completed.json")
    body["presets"] = [{"format": "dash", "resolutions": ["source", "5000"], "id": "p"}]
    job = read(body)
    assert job.presets[0].remote_id == "dash:5000,source"
    assert [output.label for output in job.outputs[:2]] == ["5000p", "source"]
    assert job.raw["thumbnails"][0]["filters"] == ["none", "blue"]


def test_types_that_the_reference_gets_wrong_are_read(read: Read) -> None:
    """It calls the id a number and the URL an object."""
    assert read(make_job(9, videoId=604, videoUrl={"href": "x"})).input.url == "604"
    job = read(make_job(9, videoUrl="https://media.example.com/in/a%20b.mov"))
    assert (job.name, job.metadata) == ("a b.mov", None)


def test_who_created_a_job_is_not_kept(read: Read) -> None:
    """One guide names the fields of `user`: personal data."""
    job = read(make_job(9, user={"id": "u1", "name": "Quist", "email": "quist@example.com"}))
    assert "quist" not in repr(job).lower()


def test_format_and_duration_beside_meta_are_read_as_well(read: Read) -> None:
    """The list of fields has them there, the sample within `meta`."""
    files = [{"id": "f", "type": "video", "format": "mov,mp4", "duration": 2.5, "size": 7}]
    (output,) = read(make_job(9, files=files)).outputs
    assert (output.format, output.duration_ms, output.size_bytes) == ("mp4", 2500, 7)


@pytest.mark.parametrize(
    ("reported", "kind", "form"),
    [
        ({"type": "x-tar", "fileUrl": "https://cdn.example.net/p"}, OutputKind.PLAYLIST, "hls"),
        ({"type": "X-TAR"}, OutputKind.PLAYLIST, "hls"),
        ({"meta": {"format": "HLS"}}, OutputKind.PLAYLIST, "hls"),
        ({"fileUrl": "https://cdn.example.net/p/index.m3u8"}, OutputKind.PLAYLIST, "hls"),
        ({"fileUrl": "https://cdn.example.net/p/still.WEBP"}, OutputKind.IMAGE, "webp"),
        ({"type": "image", "fileUrl": "https://cdn.example.net/p"}, OutputKind.IMAGE, None),
        ({"type": "video"}, OutputKind.VIDEO, None),
    ],
)
def test_the_kind_of_a_file_is_found_from_whatever_is_reported(
    read: Read, reported: dict[str, Any], kind: OutputKind, form: str | None
) -> None:
    (output,) = read(make_job(9, files=[{"id": "f", **reported}])).outputs
    assert (output.kind, output.format) == (kind, form)


def test_a_failure_without_a_reason_is_unknown_and_one_with_a_message_is_classed(
    read: Read, load: Load
) -> None:
    silent = read(load("videosdk/job_failed.json"))
    assert [(e.error_class, e.code, e.message) for e in silent.errors] == [("unknown", "", "")]
    assert {output.status for output in silent.outputs} == {OutputStatus.FAILED}
    reported = read(load("videosdk/job_failed_with_words.json"))
    assert [(e.error_class, e.code, e.message) for e in reported.errors] == [
        ("input.not_found", "E_FETCH", f"The source was not found: token={REDACTED}")
    ]


@pytest.mark.parametrize(
    ("phrase", "error_class"),
    [
        ({"errorMessage": "403 from the source"}, "input.access_denied"),
        ({"failureReason": "Unsupported codec"}, "input.unsupported"),
        ({"errors": ["moov atom: invalid data"]}, "input.corrupt"),
        ({"reason": "ffmpeg ended with 1"}, "encode.failed"),
        ({"message": "Out of luck"}, "unknown"),
    ],
)
def test_a_reason_is_read_wherever_it_may_be(
    read: Read, phrase: dict[str, Any], error_class: str
) -> None:
    (error,) = read(make_job(9, status="failed", **phrase)).errors
    assert error.error_class == error_class
    assert error.message


def test_thousands_of_files_and_sizes_are_matched_in_time(read: Read) -> None:
    phrase = [str(number) for number in range(8000)]
    presets = [{"format": "mp4", "resolutions": phrase, "id": "p"}]
    files = [{"id": f"f{number}", "type": "video", "size": 1} for number in range(8000)]
    outputs = read(make_job(9, presets=presets, files=files)).outputs
    assert len(outputs) == MAX_ITEMS
    assert sum(output.preset_id is not None for output in outputs) == MAX_EXPECTED
