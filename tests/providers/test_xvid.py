"""The traps of Xvid's API, one by one. What all adapters share is in test_contract.py.

Signing in is in test_xvid_tokens.py.
"""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses
from responses import matchers

from providers.base import Account
from providers.errors import (
    AuthRefused,
    BadAnswer,
    Conflict,
    NotFound,
    Outage,
    Rejected,
    TimedOut,
)
from providers.http import HttpClient
from providers.looking import LOOK_PAGES
from providers.redaction import REDACTED
from providers.status import JobStatus, OutputStatus
from providers.types import (
    Capability,
    JobRequest,
    OutputKind,
    RemoteError,
    RemoteJob,
    RemotePreset,
    Rendition,
    RequestIssue,
    Thumbnails,
)
from providers.xvid.adapter import LINK_LIFE, OVERLAP, PAGE_SIZE, Xvid
from tests.providers.cases import xvid as cases
from tests.providers.cases.xvid import BASE_URL as BASE
from tests.providers.cases.xvid import PRESETS

KEY = "0f8fad5bd9cb469fa16570867728950e"
SINCE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
PIPELINE = "66b1f0a2c3d4e5f601020304"
PAGING = {"sort": "created_at", "direction": "-1", "limit": str(PAGE_SIZE)}
READ = {"show_null": "true", "expand": "file,preset"}

Load = Callable[[str], Any]
Read = Callable[[Any], RemoteJob]


@pytest.fixture
def xvid(http: HttpClient) -> Xvid:
    cases.sign_in()
    return Xvid(Account(BASE, cases.CREDENTIALS, {"pipeline_id": PIPELINE}), http)


@pytest.fixture
def read(xvid: Xvid, wire: responses.RequestsMock) -> Read:
    """Read one job body the way a list gives it."""

    def read_body(body: Any) -> RemoteJob:
        wire.get(f"{BASE}/jobs/", json={"jobs": [body]})
        (job,) = next(xvid.list_jobs()).jobs
        wire.reset()
        return job

    return read_body


def make_job(number: int, status: str = "SUCCESS", **changes: Any) -> dict[str, Any]:
    return {"id": f"{number:024x}", "status": status, **changes}


def ids(numbers: range) -> list[str]:
    return [f"{number:024x}" for number in numbers]


def serve_page(wire: responses.RequestsMock, start: int, items: list[Any], **envelope: Any) -> None:
    query = matchers.query_param_matcher(READ | PAGING | {"start": str(start)})
    wire.get(f"{BASE}/jobs/", json={"jobs": items, **envelope}, match=[query])


def body_of(call: responses.Call) -> Any:
    return json.loads(call.request.body or b"")


def queries(wire: responses.RequestsMock) -> list[dict[str, str]]:
    return [dict(parse_qsl(urlsplit(str(call.request.url)).query)) for call in wire.calls]


# Lists


def test_pages_say_start_limit_and_order_and_overlap_so_that_nothing_slips_between(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    serve_page(wire, 0, [make_job(n) for n in range(300, 200, -1)])
    # Three jobs of the first page were deleted meanwhile: the others moved up by three.
    second = [make_job(n) for n in range(202, 102, -1)]
    serve_page(wire, PAGE_SIZE - OVERLAP, second, total=297, limit=100)
    serve_page(wire, 2 * (PAGE_SIZE - OVERLAP), [make_job(107), make_job(106)])
    pages = list(xvid.list_jobs())
    assert [page.cursor for page in pages] == ["95", "190", None]
    seen = [job.remote_id for page in pages for job in page.jobs]
    assert set(ids(range(103, 301))) <= set(seen)
    assert all("human" not in query for query in queries(wire))


def test_a_page_is_asked_for_when_it_is_wanted_and_a_cursor_resumes(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    serve_page(wire, 0, [make_job(n) for n in range(100)])
    serve_page(wire, 95, [make_job(7)])
    next(xvid.list_jobs())
    assert len(wire.calls) == 1
    assert next(xvid.list_jobs("95")).jobs[0].remote_id == f"{7:024x}"
    for senseless in ("soon", "-4", ""):
        assert len(next(xvid.list_jobs(senseless)).jobs) == 100


def test_a_page_cut_shorter_than_asked_is_not_the_last_while_the_total_says_so(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    serve_page(wire, 0, [make_job(n) for n in range(30, 10, -1)], total=30)
    serve_page(wire, 15, [make_job(n) for n in range(15, 0, -1)], total=30)
    assert [page.cursor for page in xvid.list_jobs()] == ["15", None]


@pytest.mark.parametrize("total", [None, 0, "x", 10**9])
def test_a_total_that_is_missing_or_wrong_neither_ends_nor_prolongs_the_list_for_ever(
    xvid: Xvid, wire: responses.RequestsMock, total: Any
) -> None:
    wire.get(f"{BASE}/jobs/", json={"jobs": [make_job(2), make_job(1)], "total": total})
    assert len(list(xvid.list_jobs())) <= 2


def test_a_server_that_ignores_the_offset_is_not_read_for_ever(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    wire.get(f"{BASE}/jobs/", json={"jobs": [make_job(n) for n in range(100)]})
    assert len(list(xvid.list_jobs())) == 2


def test_unreadable_items_are_left_out(xvid: Xvid, wire: responses.RequestsMock) -> None:
    items = [make_job(3), None, "x", {"result": {"status": "SUCCESS"}}, make_job(1, id=None)]
    wire.get(f"{BASE}/jobs/", json={"jobs": items})
    (page,) = xvid.list_jobs()
    assert [job.remote_id for job in page.jobs] == ids(range(3, 4))


@pytest.mark.parametrize("body", [[], {"job": {}}, {"jobs": {}}, {"files": []}, None])
def test_another_envelope_is_a_bad_answer(
    xvid: Xvid, wire: responses.RequestsMock, body: Any
) -> None:
    wire.get(f"{BASE}/jobs/", json=body)
    with pytest.raises(BadAnswer):
        list(xvid.list_jobs())


def test_all_unfinished_jobs_are_read_with_one_request(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    unfinished = [load("xvid/job_processing.json"), load("xvid/job_queued.json")]
    wire.get(f"{BASE}/jobs/", json={"jobs": [*unfinished, load("xvid/job_success.json")]})
    (page,) = xvid.list_unfinished()
    assert [(job.status, job.progress) for job in page.jobs] == [
        (JobStatus.RUNNING, 56),
        (JobStatus.QUEUED, 0),
        (JobStatus.SUCCEEDED, 100),
    ]
    assert queries(wire) == [READ | PAGING | {"start": "0", "inprogress": "true"}]


def test_a_single_job_has_no_slash_behind_it_and_any_id(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    wire.get(f"{BASE}/jobs/a%2F..%3Fb", json={"job": load("xvid/job_success.json")})
    # The id asked for need not be the one in the answer: the documents themselves differ.
    assert xvid.get_job("a/..?b").remote_id == "69a55c30a1b2c3d4e5f60701"
    assert str(wire.calls[0].request.url).partition("?")[0] == f"{BASE}/jobs/a%2F..%3Fb"
    assert queries(wire) == [READ]


# Reading a job


def test_a_finished_job_is_read_whole(read: Read, load: Load) -> None:
    job = read(load("xvid/job_success.json"))
    assert (job.remote_id, job.status) == ("69a55c30a1b2c3d4e5f60701", JobStatus.SUCCEEDED)
    assert job.provider_status == "SUCCESS"
    assert job.name == "Harbour at dawn.mov"
    assert job.progress == 100
    assert (job.metadata, job.key) == ("episode 12", KEY)
    assert job.created_at == datetime(2026, 3, 2, 8, 58, 20, 111000, tzinfo=UTC)
    assert job.finished_at == datetime(2026, 3, 2, 9, 1, 2, 874000, tzinfo=UTC)
    assert job.started_at is None  # never told
    assert job.input.url == (
        f"https://{REDACTED}@media.example.com/incoming/8fK2/a81.mov?token={REDACTED}"
    )
    assert job.input.secret_url == (
        "https://uploader:canary-pw-1@media.example.com/incoming/8fK2/a81.mov?token=canary-token-2"
    )
    assert (job.input.duration_ms, job.input.size_bytes) == (94_210, 104_857_600)
    assert (job.input.width, job.input.height, job.input.frame_rate) == (1920, 1080, 25)
    assert (job.input.video_codec, job.input.audio_codec) == ("H.264 / AVC", "MPEG-4 AAC")
    assert job.input.bitrate_kbps == 8192
    small, archive, image, large = job.outputs
    assert [output.remote_id for output in job.outputs] == [
        "0",
        "0/thumbnails.zip",
        "0/thumbnails/0",
        "1",
    ]
    assert [output.kind for output in job.outputs] == [
        OutputKind.VIDEO,
        OutputKind.ARCHIVE,
        OutputKind.IMAGE,
        OutputKind.VIDEO,
    ]
    assert {output.status for output in job.outputs} == {OutputStatus.SUCCEEDED}
    assert [output.label for output in job.outputs] == ["harbour-360"] * 3 + ["harbour-720"]
    assert [output.preset_id for output in job.outputs] == [PRESETS[0]] * 3 + [PRESETS[1]]
    assert (small.width, small.height, small.frame_rate) == (640, 360, 25)
    assert (small.video_codec, small.audio_codec) == ("H.264 / AVC", "MPEG-4 AAC")
    assert (small.video_bitrate_kbps, small.audio_bitrate_kbps) == (560, 96)
    assert (small.duration_ms, small.size_bytes) == (94_200, 7_340_032)
    assert small.format == "ISO MP4/M4A"
    assert small.url == f"{BASE}/files/downloads/?file_id=69a55c30a1b2c3d4e5f60711"
    assert small.expires_at == datetime(2026, 3, 9, 9, 0, 0, 500000, tzinfo=UTC)
    assert large.url
    assert large.url.endswith(f"&signature={REDACTED}")
    assert large.secret_url
    assert large.expires_at is None
    assert (archive.format, image.format) == ("application/zip", "image/jpeg")
    assert (image.width, image.height, image.size_bytes) == (160, 90, 20_480)


def test_the_time_of_the_last_change_is_never_used(read: Read) -> None:
    """It lies before the creation, and does not move when a job ends."""
    job = read(make_job(1, created_at=1772441900111, updated_at=1772441899471))
    assert job.updated_at is None
    assert job.created_at == datetime(2026, 3, 2, 8, 58, 20, 111000, tzinfo=UTC)


def test_the_size_on_disk_is_ignored(read: Read, load: Load) -> None:
    body = load("xvid/job_success.json")
    del body["outputs"][1]["file"]["size"]
    assert body["outputs"][1]["file"]["size_on_disk"]
    assert read(body).outputs[3].size_bytes is None


def test_references_alone_keep_presets_and_files_by_their_ids(read: Read, load: Load) -> None:
    job = read(load("xvid/job_processing.json"))
    assert [output.preset_id for output in job.outputs] == PRESETS
    assert job.presets == tuple(RemotePreset(preset, "") for preset in PRESETS)
    assert [output.url for output in job.outputs] == [
        f"{BASE}/files/downloads/?file_id=69a55c30a1b2c3d4e5f60731",
        None,
    ]
    assert [output.progress for output in job.outputs] == [100, 12]
    assert [output.status for output in job.outputs] == [OutputStatus.RUNNING] * 2


@pytest.mark.parametrize(
    "file",
    [
        {"id": "f1", "name": "a.mp4", "size": 7, "mime_type": "video/mp4"},  # without href
        {"id": "f1", "href": f"{BASE}/files/f1"},
        {"id": "f1"},
    ],
)
def test_a_file_is_taken_in_every_form_that_it_comes_in(read: Read, file: Any) -> None:
    job = read(make_job(1, outputs=[{"file": file}, {"file": None}, {}]))
    assert [output.url for output in job.outputs] == [
        f"{BASE}/files/downloads/?file_id=f1",
        None,
        None,
    ]


def test_presets_of_a_job_are_read_with_it(read: Read, load: Load) -> None:
    known, own = read(load("xvid/job_success.json")).presets
    assert (known.remote_id, known.name, known.kind) == (PRESETS[0], "MP4 360p", "system")
    assert known.settings["target_format"]["vcodec"]["caps"]["max_height"] == 360
    assert set(known.settings) == {"description", "target_format", "settings"}
    assert (own.name, own.kind) == ("House 720p", "custom")


def test_absent_keys_and_null_are_the_same(read: Read) -> None:
    full: dict[str, Any] = dict.fromkeys(
        ("user_data", "error_msg", "error_code", "finished_at", "autograph", "input", "outputs")
    )
    sparse, told = read(make_job(1)), read(make_job(1, **full))
    assert {name: value for name, value in told.raw.items() if value is not None} == sparse.raw
    for name in ("status", "metadata", "key", "input", "outputs", "errors", "finished_at"):
        assert getattr(sparse, name) == getattr(told, name)


def test_the_name_of_the_file_is_preferred_to_the_address(read: Read) -> None:
    path = "uploads/vnaqaHDKsCfX6X1U/movie%201.mov"
    assert read(make_job(1, input={"input_name": path})).name == "movie 1.mov"
    file = {"id": "f", "name": "Opening night.mov"}
    assert read(make_job(1, input={"input_name": path, "file": file})).name == "Opening night.mov"
    assert read(make_job(1, input={"input_name": path})).input.url == path


def test_what_pipelines_and_users_hold_is_not_kept(read: Read) -> None:
    """It can come unasked for, when references are expanded."""
    pipeline = {"id": "p", "output_upload_dir": "s3://AKIACANARY:canary@eu-west-1/bucket/"}
    user = {"id": "u", "email": "canary@example.com", "password": "*******"}
    file = {"id": "f", "user": user, "pipeline": pipeline, "parents": [{"user": user}]}
    job = read(
        make_job(1, pipeline=pipeline, user=user, application=user, outputs=[{"file": file}])
    )
    assert "canary" not in json.dumps(job.raw).lower()
    assert job.raw["pipeline"] == {"id": "p"}
    assert job.raw["outputs"][0]["file"]["user"] == {"id": "u"}


def test_templates_in_names_stay_as_they_are(read: Read) -> None:
    names = {"thumbnail_names": "MyTest_{resolution}", "thumbnail_preset": "thumbnails_small"}
    job = read(make_job(1, output_prefix="{job_id}/", outputs=[{"thumbnails": [names, None, {}]}]))
    assert [output.remote_id for output in job.outputs] == ["0", "0/thumbnails/0", "0/thumbnails/2"]
    assert job.raw["outputs"][0]["thumbnails"][0] == names


def test_sound_alone_is_sound(read: Read) -> None:
    file = {"id": "f", "audio_tracks": [{"audio_codec": "MPEG-4 AAC", "audio_duration": 8000}]}
    (output,) = read(make_job(1, outputs=[{"file": file}])).outputs
    assert (output.kind, output.duration_ms) == (OutputKind.AUDIO, 8000)


@pytest.mark.parametrize(
    ("mime_type", "expected"),
    [
        ("video/quicktime, variant=(string)iso", "video/quicktime"),
        ("video/mp4; codecs=avc1", "video/mp4"),
        ("", None),
        (None, None),
        (["video/mp4"], None),
    ],
)
def test_a_caps_string_is_cut_to_its_type(read: Read, mime_type: Any, expected: Any) -> None:
    file = {"id": "f", "mime_type": mime_type}
    assert read(make_job(1, outputs=[{"file": file}])).outputs[0].format == expected


# Faults


def test_a_failed_job_tells_its_error_at_each_output_that_was_not_made(
    read: Read, load: Load
) -> None:
    job = read(load("xvid/job_failure.json"))
    message = f"The conversion of https://{REDACTED}@media.example.com/a81.mov failed."
    error = RemoteError("encode.failed", "0x0020007", message)
    assert job.errors == (error,)
    assert [(output.status, output.error) for output in job.outputs] == [
        (OutputStatus.SUCCEEDED, None),  # whole, with a time at which it was finished
        (OutputStatus.FAILED, error),
    ]
    assert (job.progress, [output.progress for output in job.outputs]) == (65, [100, 31])


def test_a_complete_percentage_alone_makes_no_output_of_a_failed_job_usable(read: Read) -> None:
    parts = [
        {"percentage_completed": 100, "file": {"id": "f"}},
        {"percentage_completed": 99, "file": {"id": "g", "finished_at": 1772442000500}},
    ]
    job = read(make_job(1, "FAILURE", outputs=parts))
    assert [output.status for output in job.outputs] == [OutputStatus.FAILED] * 2


def test_a_failed_job_without_a_reason_says_so(read: Read) -> None:
    assert read(make_job(1, "FAILURE")).errors == (RemoteError("unknown"),)
    assert read(make_job(1, "FAILURE", error_code="0x0000000")).errors == (RemoteError("unknown"),)
    assert read(make_job(1, "CANCELED")).errors == ()
    assert read(make_job(1, error_code=0)).errors == ()


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        ("0x0050001", "It rained.", "settings.invalid"),
        ("0050001", "It rained.", "settings.invalid"),
        ("0X0000001", None, "provider.outage"),
        ("0x0099999", "It rained.", "unknown"),
        (None, "Input file was not found.", "input.not_found"),
        (None, "Access denied to the source (403).", "input.access_denied"),
        (None, "The input timed out.", "input.timeout"),
        (None, "The stream is corrupt.", "input.corrupt"),
        (None, "No video track.", "input.no_media"),
        (None, "Unsupported codec.", "input.unsupported"),
        (None, "Upload failed: permission denied.", "output.access_denied"),
        (None, "Upload failed: no such bucket.", "output.not_found"),
        (None, "Upload failed.", "output.failed"),
        (None, "Invalid preset.", "settings.invalid"),
        (None, "Transcoding failed.", "encode.failed"),
        (None, "Your credit is used up.", "quota.plan"),
        (7, ["x"], "unknown"),
    ],
)
def test_faults_by_code_with_and_without_0x_then_by_message(
    read: Read, code: Any, message: Any, expected: str
) -> None:
    (error,) = read(make_job(1, "FAILURE", error_code=code, error_msg=message)).errors
    assert error.error_class == expected
    assert error.code == (str(code) if code else "")


def test_the_other_vocabulary_is_read_as_well(read: Read) -> None:
    (error,) = read(make_job(1, "FAILURE", error_message="Transcoding failed.")).errors
    assert error == RemoteError("encode.failed", "", "Transcoding failed.")


@pytest.mark.parametrize(
    ("name", "status", "error", "code"),
    [
        ("bad_input", 400, Rejected, "0050001"),
        ("no_job", 404, NotFound, "0x0050005"),
        ("broken", 500, Outage, "0x0000001"),
    ],
)
def test_refusals_carry_the_code_and_the_words(
    xvid: Xvid,
    wire: responses.RequestsMock,
    load: Load,
    name: str,
    status: int,
    error: type[Exception],
    code: str,
) -> None:
    body = load(f"xvid/{name}.json")
    wire.get(f"{BASE}/jobs/77", json=body, status=status)
    with pytest.raises(error, match=body["error"]["error_message"]) as caught:
        xvid.get_job("77")
    assert getattr(caught.value, "code", None) == code


# Presets and files of the account


def test_presets_are_listed_over_pages_each_once(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    first, second = (load(f"xvid/presets_{name}.json")["presets"] for name in ("first", "second"))
    filler = [{"id": f"{n:024x}", "name": f"Filler {n}"} for n in range(98)]
    for start, items in ((0, [*filler, *first]), (95, [*first, *second])):
        query = {"show_null": "true"} | PAGING | {"start": str(start)}
        match = [matchers.query_param_matcher(query)]
        wire.get(f"{BASE}/presets/", json={"presets": items}, match=match)
    presets = list(xvid.list_presets())
    assert len({preset.remote_id for preset in presets}) == len(presets) == 102
    assert [(preset.name, preset.kind) for preset in presets[98:]] == [
        ("House 720p", "custom"),
        ("MP4 360p", "system"),
        ("Shared name", "custom"),
        ("Shared name", "system"),
    ]
    assert presets[98].settings["settings"] == {"subtitle_policy": "ignore"}


@pytest.mark.parametrize(
    ("output_id", "file_id"),
    [("0", "60711"), ("0/thumbnails.zip", "60713"), ("0/thumbnails/0", "60714"), ("1", "60712")],
)
def test_an_output_opens_at_an_address_made_for_the_moment(
    xvid: Xvid, wire: responses.RequestsMock, load: Load, output_id: str, file_id: str
) -> None:
    body = load("xvid/job_success.json")
    for file in (body["outputs"][0]["file"], body["outputs"][1]["file"]):
        # Neither is followed: a token sent there would be lost.
        file["href"] = file["uri"] = "https://elsewhere.example.com/take/the/token"
    wire.get(f"{BASE}/jobs/69a55c30a1b2c3d4e5f60701", json={"job": body})
    wire.get(
        f"{BASE}/files/downloads/",
        json={"download": {"href": f"{BASE}/files/x", "uri": "https://cdn.example.com/f?sig=x"}},
    )
    before = datetime.now(UTC)
    link = xvid.resolve_output_url("69a55c30a1b2c3d4e5f60701", output_id)
    assert link.url == "https://cdn.example.com/f?sig=x"
    assert link.expires_at
    assert before < link.expires_at <= datetime.now(UTC) + LINK_LIFE
    asked = queries(wire)[1]
    assert asked["file_id"] == f"69a55c30a1b2c3d4e5f{file_id}"
    assert asked["streaming"] == "true"
    # In seconds, where all other times are in milliseconds.
    assert int(asked["expiry_time"]) == int(link.expires_at.timestamp())
    assert {urlsplit(call.request.url).hostname for call in wire.calls} == {"xvid.example.com"}
    assert "sig=x" not in repr(link)


def test_a_link_that_tells_its_end_ends_then(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    wire.get(f"{BASE}/jobs/1", json={"job": load("xvid/job_success.json")})
    url = "https://cdn.example.com/f?Expires=1772449999&Signature=s"
    wire.get(f"{BASE}/files/downloads/", json=[{"name": "f", "urls": [None, url]}])
    assert xvid.resolve_output_url("1", "0").expires_at == datetime.fromtimestamp(1772449999, UTC)


def test_an_output_without_a_file_opens_nowhere(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    wire.get(f"{BASE}/jobs/1", json={"job": load("xvid/job_queued.json")})
    for output_id in ("0", "9", "0/thumbnails/0", "x"):
        with pytest.raises(NotFound):
            xvid.resolve_output_url("1", output_id)


@pytest.mark.parametrize(
    "body", [{}, [], None, {"url": None}, {"url": "ftp://x/y"}, {"href": f"{BASE}/files/x"}]
)
def test_a_download_without_a_web_address_is_a_bad_answer(
    xvid: Xvid, wire: responses.RequestsMock, load: Load, body: Any
) -> None:
    wire.get(f"{BASE}/jobs/1", json={"job": load("xvid/job_success.json")})
    wire.get(f"{BASE}/files/downloads/", json=body)
    with pytest.raises(BadAnswer):
        xvid.resolve_output_url("1", "0")


# Cancelling


@pytest.mark.parametrize("name", ["job_queued", "job_processing"])
def test_an_unfinished_job_is_read_again_and_then_cancelled(
    xvid: Xvid, wire: responses.RequestsMock, load: Load, name: str
) -> None:
    wire.get(f"{BASE}/jobs/77", json={"job": load(f"xvid/{name}.json")})
    wire.delete(f"{BASE}/jobs/77", json=load("xvid/cancelled.json"))
    xvid.cancel("77")
    assert [call.request.method for call in wire.calls] == ["GET", "DELETE"]


@pytest.mark.parametrize("word", ["SUCCESS", "FAILURE", "CANCELED", "ARCHIVING", None])
def test_a_job_that_is_done_or_in_an_unknown_state_is_never_deleted(
    xvid: Xvid, wire: responses.RequestsMock, word: str | None
) -> None:
    wire.get(f"{BASE}/jobs/77", json={"job": {"id": "77", "status": word}})
    wire.delete(f"{BASE}/jobs/77", json={"result": {"status": "SUCCESS"}})
    with pytest.raises(Conflict, match="delete it with its files"):
        xvid.cancel("77")
    assert [call.request.method for call in wire.calls] == ["GET"]


def test_a_deletion_is_not_sent_again_with_a_new_token(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    """By then the job may be finished; and the token was good for reading it."""
    wire.get(f"{BASE}/jobs/77", json={"job": load("xvid/job_queued.json")})
    wire.delete(f"{BASE}/jobs/77", json=load("xvid/bad_token.json"), status=403)
    wire.post(f"{BASE}/oauth2/token/", json=load("xvid/token.json"))
    with pytest.raises(AuthRefused, match="mediahub_write"):
        xvid.cancel("77")
    assert [call.request.method for call in wire.calls] == ["GET", "DELETE"]


def test_a_cancellation_that_did_not_succeed_is_told(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    wire.get(f"{BASE}/jobs/77", json={"job": load("xvid/job_queued.json")})
    wire.delete(f"{BASE}/jobs/77", json={"result": {"status": "FAILURE"}})
    with pytest.raises(Conflict, match="FAILURE"):
        xvid.cancel("77")


def test_a_job_that_is_gone_cannot_be_cancelled(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    wire.get(f"{BASE}/jobs/77", json=load("xvid/no_job.json"), status=404)
    with pytest.raises(NotFound):
        xvid.cancel("77")


# Submitting


def request_for(*presets: str, **changes: Any) -> JobRequest:
    extra = {"presets": list(presets)} if presets else {}
    return JobRequest("https://h/a.mov", **{"extra": extra, **changes})


def test_a_request_becomes_one_output_a_preset(xvid: Xvid) -> None:
    request = request_for(
        PRESETS[0],
        "House 720p",
        renditions=(Rendition("mp4", (360, 720)),),
        thumbnails=Thumbnails(count=3),
        destination="reels/harbour",
        metadata="episode 12",
    )
    assert xvid.build_request(request, KEY) == {
        "pipeline": {"id": PIPELINE},
        "input": {"input_name": "https://h/a.mov"},
        "output_prefix": "reels/harbour/",
        "user_data": f"episode 12 rb:{KEY}",
        "outputs": [
            {
                "preset": {"id": PRESETS[0]},
                "output_name": "mp4-360p",
                "thumbnails": [
                    {
                        "thumbnail_names": "thumb_{resolution}",
                        "thumbnail_preset": "thumbnails_small",
                    }
                ],
            },
            {"preset": {"name": "House 720p"}, "output_name": "mp4-720p"},
        ],
    }


def test_outputs_are_numbered_where_renditions_do_not_match_the_presets(xvid: Xvid) -> None:
    request = request_for(*PRESETS, renditions=(Rendition("mp4", (360,)),))
    outputs = xvid.build_request(request)["outputs"]
    assert [output["output_name"] for output in outputs] == ["output-1", "output-2"]
    assert xvid.build_request(request)["output_prefix"] == "{job_id}/"


def test_whatever_the_metadata_is_our_key_ends_the_user_data(xvid: Xvid) -> None:
    for metadata, extra, kept in (
        (None, {}, f"rb:{KEY}"),
        ({"a": [1]}, {}, f'{{"a":[1]}} rb:{KEY}'),
        ("mine", {"user_data": "wins"}, f"wins rb:{KEY}"),
    ):
        request = JobRequest("https://h/a.mov", metadata=metadata, extra=extra)
        assert xvid.build_request(request, KEY)["user_data"] == kept


@pytest.mark.parametrize(
    ("value", "metadata", "key"),
    [
        (f"rb:{KEY}", None, KEY),
        (f"line\nline rb:{KEY}", "line\nline", KEY),
        ("episode 12", "episode 12", None),
        (f"rb:{KEY} and more", f"rb:{KEY} and more", None),
        (None, None, None),
        ({"episode": 12}, {"episode": 12}, None),
    ],
)
def test_our_key_is_taken_off_what_the_customer_kept(
    read: Read, value: Any, metadata: Any, key: str | None
) -> None:
    job = read(make_job(7, user_data=value))
    assert (job.metadata, job.key) == (metadata, key)


def blocking(issues: list[RequestIssue]) -> set[str]:
    return {issue.field for issue in issues if issue.blocking}


def test_renditions_without_a_preset_are_refused_in_words(xvid: Xvid) -> None:
    (issue,) = xvid.check_request(request_for(renditions=(Rendition("mp4", (360,)),)))
    assert issue.blocking
    assert "renditions need a preset by id or name, or extra.outputs" in issue.message
    assert blocking(xvid.check_request(request_for())) == {"renditions"}
    assert not blocking(xvid.check_request(request_for(PRESETS[0])))
    assert not blocking(xvid.check_request(request_for(extra={"presets": "MP4 360p"})))
    outputs = [{"preset": {"id": PRESETS[0]}, "output_name": "a"}]
    assert not blocking(xvid.check_request(request_for(extra={"outputs": outputs})))


def test_submitting_needs_a_pipeline_and_reading_does_not(http: HttpClient) -> None:
    xvid = Xvid(Account(BASE, cases.CREDENTIALS), http)
    assert blocking(xvid.check_request(request_for(PRESETS[0]))) == {"account"}
    for extra in ({"pipeline": {"id": "p"}}, {"pipeline_id": "p"}):
        request = request_for(extra={"presets": PRESETS, **extra})
        assert not blocking(xvid.check_request(request))
        assert xvid.build_request(request).items() >= extra.items()
    assert Xvid.check_credentials_given(cases.CREDENTIALS, {}) == {}


@pytest.mark.parametrize(
    ("changes", "field", "is_blocking"),
    [
        ({"destination": "s3://bucket/reels/"}, "destination", True),
        ({"test": True}, "test", True),
        ({"priority": 3}, "priority", False),
        ({"thumbnails": Thumbnails(count=3)}, "thumbnails", False),
        ({"renditions": (Rendition("hls", (360,)),)}, "renditions", False),
        ({"extra": {"presets": [7]}}, "extra", True),
        ({"extra": {"presets": {"a": 1}}}, "extra", True),
        ({"extra": {"presets": PRESETS, "outputs": [{}]}}, "extra", False),
        ({"extra": {"outputs": [{}]}, "thumbnails": Thumbnails()}, "thumbnails", False),
    ],
)
def test_what_xvid_cannot_do_or_decides_itself_is_told_beforehand(
    xvid: Xvid, changes: dict[str, Any], field: str, is_blocking: bool
) -> None:
    (issue,) = xvid.check_request(request_for(PRESETS[0], **changes))
    assert (issue.field, issue.blocking) == (field, is_blocking)


def test_a_job_is_created_under_its_wrapper_and_waits(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    wire.post(f"{BASE}/jobs/", json=load("xvid/created.json"), status=201)
    job = xvid.submit(request_for(*PRESETS), KEY)
    assert (job.remote_id, job.status, job.key) == (
        "69a55c30a1b2c3d4e5f60725",
        JobStatus.QUEUED,
        KEY,
    )
    assert [output.label for output in job.outputs] == ["mp4-360p", "mp4-720p"]
    sent = body_of(wire.calls[0])
    assert set(sent) == {"job"}
    assert "presets" not in sent["job"]
    assert len(wire.calls) == 1


@pytest.mark.parametrize("answer", [{"job": {"id": "j1"}}, {"id": "j1"}])
def test_an_answer_of_an_id_alone_is_a_job_that_waits(
    xvid: Xvid, wire: responses.RequestsMock, answer: Any
) -> None:
    wire.post(f"{BASE}/jobs/", json=answer)
    job = xvid.submit(request_for(*PRESETS), KEY)
    assert (job.remote_id, job.status) == ("j1", JobStatus.QUEUED)


@pytest.mark.parametrize("answer", [{"result": {"status": "SUCCESS"}}, {"job": None}, [], None])
def test_an_answer_without_an_id_leaves_open_whether_the_job_exists(
    xvid: Xvid, wire: responses.RequestsMock, answer: Any
) -> None:
    wire.post(f"{BASE}/jobs/", json=answer)
    with pytest.raises(BadAnswer) as caught:
        xvid.submit(request_for(*PRESETS), KEY)
    assert caught.value.ambiguous


def serve_presets(wire: responses.RequestsMock, load: Load) -> None:
    first, second = load("xvid/presets_first.json"), load("xvid/presets_second.json")
    wire.get(f"{BASE}/presets/", json={"presets": [*first["presets"], *second["presets"]]})


def test_names_of_presets_are_looked_up_before_the_job_is_sent(
    xvid: Xvid, wire: responses.RequestsMock, load: Load
) -> None:
    serve_presets(wire, load)
    wire.post(f"{BASE}/jobs/", json=load("xvid/created.json"))
    xvid.submit(request_for("House 720p", PRESETS[0], "MP4 360p"), KEY)
    outputs = body_of(wire.calls[-1])["job"]["outputs"]
    assert [output["preset"] for output in outputs] == [
        {"id": PRESETS[1]},
        {"id": PRESETS[0]},
        {"id": PRESETS[0]},
    ]
    named = {"outputs": [{"preset": {"name": "MP4 360p"}, "output_name": "mine"}]}
    xvid.submit(request_for(extra=named), KEY)
    assert body_of(wire.calls[-1])["job"]["outputs"] == [
        {"preset": {"id": PRESETS[0]}, "output_name": "mine"}
    ]


@pytest.mark.parametrize(
    ("name", "words"), [("MP4 9000p", "no preset called MP4 9000p"), ("Shared name", "2 presets")]
)
def test_a_name_that_no_preset_has_or_several_have_is_refused_unsent(
    xvid: Xvid, wire: responses.RequestsMock, load: Load, name: str, words: str
) -> None:
    serve_presets(wire, load)
    with pytest.raises(Rejected, match=words) as caught:
        xvid.submit(request_for(name), KEY)
    assert list(caught.value.fields) == ["renditions"]
    assert [call.request.method for call in wire.calls] == ["GET"]


def test_presets_that_cannot_be_read_leave_no_doubt_whether_a_job_was_created(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    wire.get(f"{BASE}/presets/", status=504)
    with pytest.raises(TimedOut) as caught:
        xvid.submit(request_for("House 720p"), KEY)
    assert not caught.value.ambiguous


# Finding a submission


def test_a_submission_is_asked_for_by_the_whole_user_data(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    request = request_for(*PRESETS, metadata="episode 12")
    items = [
        make_job(2, user_data=f"episode 12 rb:{KEY[::-1]}"),
        make_job(1, user_data=f"episode 12 rb:{KEY}"),
    ]
    wire.get(f"{BASE}/jobs/", json={"jobs": items})
    found = xvid.find_by_key(KEY, request, SINCE)
    assert found.job
    assert found.job.remote_id == f"{1:024x}"
    assert queries(wire)[0]["user_data"] == f"episode 12 rb:{KEY}"


def test_no_job_of_that_user_data_is_a_complete_look(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    wire.get(f"{BASE}/jobs/", json={"jobs": [], "total": 0})
    found = xvid.find_by_key(KEY, request_for(*PRESETS), SINCE)
    assert (found.job, found.complete) == (None, True)


def test_user_data_too_long_for_an_address_is_looked_for_in_the_list(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    request = request_for(*PRESETS, metadata="x" * 5000)
    job = make_job(1, user_data=xvid.build_request(request, KEY)["user_data"])
    wire.get(f"{BASE}/jobs/", json={"jobs": [job]})
    assert xvid.find_by_key(KEY, request, SINCE).job
    assert "user_data" not in queries(wire)[0]


def test_a_look_over_a_list_that_is_not_filtered_ends_at_the_time_of_the_submission(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    at = int((SINCE - timedelta(hours=1)).timestamp() * 1000)
    wire.get(f"{BASE}/jobs/", json={"jobs": [make_job(n, created_at=at) for n in range(100)]})
    found = xvid.find_by_key(KEY, request_for(*PRESETS), SINCE)
    assert (found.job, found.complete) == (None, True)
    assert len(wire.calls) == 1


def test_a_look_that_is_cut_short_proves_nothing(xvid: Xvid, wire: responses.RequestsMock) -> None:
    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        start = int(dict(parse_qsl(urlsplit(request.url).query))["start"])
        items = [make_job(10**6 - start - n) for n in range(PAGE_SIZE)]
        return 200, {}, json.dumps({"jobs": items})

    wire.add_callback("GET", f"{BASE}/jobs/", answer, content_type="application/json")
    found = xvid.find_by_key(KEY, request_for(*PRESETS), SINCE)
    assert (found.job, found.complete) == (None, False)
    assert len(wire.calls) == LOOK_PAGES
    wire.reset()
    wire.get(f"{BASE}/jobs/", status=503)
    found = xvid.find_by_key(KEY, request_for(*PRESETS), SINCE)
    assert (found.job, found.complete) == (None, False)


# What is not there, and that it is said


def names_in(body: Any) -> set[str]:
    """The keys of a body; what a preset consists of is kept whole, and not listed."""
    if isinstance(body, list):
        return {name for item in body for name in names_in(item)}
    if not isinstance(body, dict):
        return set()
    below = (names_in(part) for name, part in body.items() if name != "preset")
    return set(body) | {name for names in below for name in names}


def test_the_page_accounts_for_every_field_of_a_job_and_a_file(load: Load) -> None:
    page = (Path(__file__).parents[2] / "docs" / "providers" / "xvid.md").read_text()
    told = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", page))))
    bodies = [load(f"xvid/job_{name}.json") for name in ("success", "failure", "queued")]
    assert not names_in(bodies) - told - {"is_root"}


def test_only_what_the_documents_show_is_declared() -> None:
    assert not Xvid.supports(Capability.WEBHOOK)  # nobody has documented what a ping says
    assert not Xvid.supports(Capability.USAGE)  # users carry mail and billing addresses
    assert not Xvid.supports(Capability.RESUBMIT)
    assert not Xvid.supports(Capability.TEST_MODE)
    assert not Xvid.supports(Capability.PRIORITY)
    assert Xvid.echoes_key
