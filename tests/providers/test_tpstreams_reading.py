"""How TPStreams' lists and jobs are read: its traps, one by one."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import responses
from responses import matchers

from providers.base import Account
from providers.errors import CLASSES, AuthRefused, BadAnswer, NotFound
from providers.http import HttpClient
from providers.redaction import REDACTED, redact
from providers.status import JobStatus, OutputStatus
from providers.tpstreams.adapter import TPStreams
from providers.tpstreams.error_patterns import ERROR_PATTERNS
from providers.types import OutputKind, RemoteError, RemoteJob

BASE = "https://tpstreams.example.com/api/v1"
JOBS = f"{BASE}/6dnpyx/transcoding_jobs/"

Load = Callable[[str], Any]
Read = Callable[..., RemoteJob]


@pytest.fixture
def tpstreams(http: HttpClient) -> TPStreams:
    account = Account(BASE, {"token": "canary-token"}, {"organization_id": "6dnpyx"})
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


def serve_page(wire: responses.RequestsMock, query: dict[str, str], body: Any) -> None:
    wire.get(JOBS, json=body, match=[matchers.query_param_matcher(query)])


def make_page(following: Any, *ids: str) -> dict[str, Any]:
    return {"count": 9, "next": following, "results": [{"id": each} for each in ids]}


# Lists


def test_pages_are_followed_by_what_each_answer_says(
    tpstreams: TPStreams, wire: responses.RequestsMock, load: Load
) -> None:
    serve_page(wire, {"ordering": "-created"}, load("tpstreams/list_page_1.json"))
    serve_page(wire, {"ordering": "-created", "page": "2"}, load("tpstreams/list_page_2.json"))
    pages = tpstreams.list_jobs()
    first = next(pages)
    assert len(wire.calls) == 1
    (second,) = pages
    assert [job.remote_id for job in first.jobs] == ["7hQwN2sKx0B", "Zb4Tn81LmQe"]
    assert [job.status for job in second.jobs] == [JobStatus.SUCCEEDED, JobStatus.FAILED]
    assert (first.cursor, second.cursor) == ("ordering=-created&page=2", None)
    assert wire.calls[0].request.headers["Authorization"] == "Token canary-token"
    # the cursor alone resumes
    assert next(tpstreams.list_jobs(first.cursor)) == second


@pytest.mark.parametrize(
    "address",
    [
        "https://elsewhere.example.com/api/v1/6dnpyx/transcoding_jobs/?page=2",
        "http://tpstreams.example.com/api/v1/6dnpyx/transcoding_jobs/?page=2",
        "http://tpstreams.example.com:443/api/v1/6dnpyx/transcoding_jobs/?page=2",
        "https://tpstreams.example.com:8443/api/v1/6dnpyx/transcoding_jobs/?page=2",
        "https://tpstreams.example.com/api/v1/7coqzy/transcoding_jobs/?page=2",
        "https://tpstreams.example.com/api/v1/<organization_id>/transcoding_jobs/?page=2",
        "https://tpstreams.example.com/api/v1/6dnpyx/transcoding_jobs/../../7coqzy/?page=2",
        "https://tpstreams.example.com@elsewhere.example.com/api/v1/6dnpyx/transcoding_jobs/?p=2",
        "//elsewhere.example.com/api/v1/6dnpyx/transcoding_jobs/?page=2",
        "?page=2",
        "https://[",
        "https://tpstreams.example.com:99999/api/v1/6dnpyx/transcoding_jobs/?page=2",
        17,
        ["x"],
    ],
)
def test_the_token_is_not_taken_to_another_address(
    tpstreams: TPStreams, wire: responses.RequestsMock, address: Any
) -> None:
    wire.get(JOBS, json=make_page(address, "a"))
    with pytest.raises(BadAnswer, match="another address") as caught:
        list(tpstreams.list_jobs())
    assert len(wire.calls) == 1
    assert not caught.value.transient


@pytest.mark.parametrize(
    "query", [{"page": "2"}, {"limit": "50", "offset": "50"}, {"cursor": "cD0yMDI2="}]
)
def test_any_way_of_paging_is_followed(
    tpstreams: TPStreams, wire: responses.RequestsMock, query: dict[str, str]
) -> None:
    host = JOBS.replace("tpstreams.example.com", "TPStreams.Example.com:443")
    serve_page(wire, {"ordering": "-created"}, make_page(f"{host}?{urlencode(query)}", "a"))
    serve_page(wire, {**query, "ordering": "-created"}, make_page(None, "b"))
    first, second = tpstreams.list_jobs()
    assert (first.cursor, second.jobs[0].remote_id) == (urlencode(query), "b")


def test_a_senseless_cursor_starts_anew(tpstreams: TPStreams, wire: responses.RequestsMock) -> None:
    for cursor in ("", "soon", "&".join(f"a{n}=1" for n in range(50))):
        serve_page(wire, {"ordering": "-created"}, make_page(None, "a"))
        assert next(tpstreams.list_jobs(cursor)).jobs[0].remote_id == "a"


def test_a_list_that_leads_in_a_circle_is_not_read_for_ever(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    wire.get(JOBS, json=make_page(f"{JOBS}?page=2", "a"))
    pages = tpstreams.list_jobs()
    next(pages)
    with pytest.raises(BadAnswer, match="leads back"):
        next(pages)
    with pytest.raises(BadAnswer, match="leads back"):
        next(tpstreams.list_jobs("page=2"))


def test_a_page_beyond_the_end_ends_a_resumed_list(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    wire.get(JOBS, json={"detail": "Invalid page."}, status=404)
    (page,) = tpstreams.list_jobs("page=9")
    assert (page.jobs, page.cursor) == ((), None)
    with pytest.raises(NotFound):
        next(tpstreams.list_jobs())


@pytest.mark.parametrize("body", [[], [{"id": "a"}], {}, {"results": None}, {"results": {}}, "x"])
def test_a_list_of_another_shape_is_told_as_such(
    tpstreams: TPStreams, wire: responses.RequestsMock, body: Any
) -> None:
    wire.get(JOBS, json=body)
    with pytest.raises(BadAnswer, match="page of results"):
        list(tpstreams.list_jobs())


def test_items_that_are_no_jobs_are_left_out(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    items = [{"id": "b"}, None, "x", {"id": None}, {"status": "Queued"}, {"id": "a"}]
    wire.get(JOBS, json={"next": "", "results": items})
    (page,) = tpstreams.list_jobs()
    assert [job.remote_id for job in page.jobs] == ["b", "a"]


def test_an_unknown_organization_never_makes_a_job_gone(
    tpstreams: TPStreams, wire: responses.RequestsMock, load: Load
) -> None:
    text = load("tpstreams/unknown_organization.txt")
    for kind, body in (("text/plain", text), ("text/html", f"<h1>Not Found</h1><p>{text}</p>")):
        wire.upsert("GET", f"{JOBS}abc/", body=body, status=404, content_type=kind)
        with pytest.raises(AuthRefused, match="organization id"):
            tpstreams.get_job("abc")


def test_a_body_with_a_trailing_comma_is_no_json(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    wire.get(f"{JOBS}abc/", body='{"id": "abc", }', content_type="application/json")
    with pytest.raises(BadAnswer):
        tpstreams.get_job("abc")


def test_every_address_ends_with_a_slash_and_is_quoted(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    wire.get(f"{JOBS}a%2Fb%3Fc/", json={"id": "a/b?c"})
    assert tpstreams.get_job("a/b?c").remote_id == "a/b?c"


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


def test_the_end_time_says_nothing_about_the_status(read: Read, load: Load) -> None:
    failed = read(**load("tpstreams/job_error.json"))
    assert (failed.status, failed.finished_at) == (JobStatus.FAILED, None)
    ended = read(status="Transcoding", end_time="2026-03-11T08:14:30Z")
    assert ended.status is JobStatus.RUNNING


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
        # live streams write these; which zone they mean is not told
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
    "address",
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
def test_storage_keys_are_redacted_and_not_kept(read: Read, address: str) -> None:
    for body in (
        {"input_url": address, "output_path": address, "resolutions": ["240p", "480p"]},
        {"input_path": address, "output_path": address, "resolutions": ["240p", "480p"]},
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


def test_a_signed_source_opens_by_its_whole_address_alone(read: Read, load: Load) -> None:
    body = load("tpstreams/job_transcoding.json")
    job = read(**body)
    assert job.input.secret_url == body["input_url"]
    assert "canary" not in (job.input.url or "")
    assert "X-Amz-Expires=7200" in (job.input.url or "")
    assert "canary" not in json.dumps(job.raw)


@pytest.mark.parametrize(
    ("address", "name"),
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
    read: Read, address: Any, name: str | None
) -> None:
    assert read(input_url=address).name == name


@pytest.mark.parametrize("content_id", ["8f0e6c1d4b7a49f2", "8f0e6c1d-4b7a-49f2"])
def test_drm_facts_are_kept_as_they_came(read: Read, content_id: str) -> None:
    raw = read(enable_drm=True, drm_content_id=content_id, type="transcoding_job").raw
    assert (raw["enable_drm"], raw["drm_content_id"]) == (True, content_id)


def test_secrets_that_other_lists_of_the_api_tell_would_be_redacted() -> None:
    told = {"secret_token": "canary-hook", "drm_aes_signing_key": "canary-aes", "name": "Streams"}
    assert redact(told) == {
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
def test_errors_are_classed_by_their_words(read: Read, message: str, expected: str) -> None:
    job = read(status="Error", error_message=message)
    assert job.errors == (RemoteError(expected, "", message),)


def test_a_job_that_failed_without_a_word_is_unknown(read: Read) -> None:
    messages: tuple[Any, ...] = (None, "", "  ", [], {})
    for message in messages:
        assert read(status="error", error_message=message).errors == (RemoteError("unknown"),)
    assert read(status="Transcoding", error_message=None).errors == ()


def test_an_error_is_told_without_the_secrets_in_it(read: Read, load: Load) -> None:
    (error,) = read(**load("tpstreams/job_error.json")).errors
    assert error.error_class == "input.not_found"
    assert error.message.endswith(f"gone.mov?token={REDACTED}")


def test_every_pattern_names_a_class_of_ours_and_is_documented() -> None:
    named = {name for _, name in ERROR_PATTERNS}
    page = (Path(__file__).parents[2] / "docs" / "providers" / "tpstreams.md").read_text()
    assert named <= set(CLASSES)
    assert named == set(re.findall(r"^\| `(\w+\.\w+)` \|", page, re.MULTILINE))
