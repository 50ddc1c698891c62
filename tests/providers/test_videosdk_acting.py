"""Video SDK: signing, submitting, finding a submission, deleting, deliveries."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import responses
import time_machine
from responses import matchers

from providers.core.contract import Account
from providers.core.errors import AuthRefused, BadAnswer, Conflict, NotFound, Withdrawn
from providers.core.issues import RequestIssue
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import JobRequest, Rendition, Thumbnails
from providers.http.client import HttpClient
from providers.paging.key_search import MAX_PAGES, MIN_PAGES
from providers.videosdk.adapter import SIMILAR_SKEW, VideoSDK

BASE = "https://videosdk.example.com/v1"
LIST, JOBS = f"{BASE}/encoder/jobs/", f"{BASE}/encoder/jobs"
KEY = "0f8fad5bd9cb469fa16570867728950e"
FILE_ID = "69a554289c1f40b7e2000077"
SECRET = "s3cret"  # shorter than PyJWT likes, as a provider's may be
NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
REQUEST = JobRequest(
    input="https://media.example.com/in/Ferry.mov",
    renditions=(Rendition("hls", (240, 480)), Rendition("mp4", (2160,))),
)

Load = Callable[[str], Any]


def make_adapter(http: HttpClient, **credentials: str) -> VideoSDK:
    given = credentials or {"api_key": "the-key", "secret": SECRET}
    return VideoSDK(Account(BASE, given), http)


@pytest.fixture
def videosdk(http: HttpClient) -> VideoSDK:
    return make_adapter(http)


def make_id(at: datetime, number: int = 0) -> str:
    return f"{int(at.timestamp()):08x}{number:016x}"


def make_job(at: datetime, number: int = 0, **changes: Any) -> dict[str, Any]:
    """A job as REQUEST makes it; the id has the time."""
    presets = [
        {"resolutions": ["240", "480"], "format": "hls", "id": "a"},
        {"resolutions": ["4k"], "format": "mp4", "id": "b"},
    ]
    job_id = make_id(at, number)
    return {
        "id": job_id,
        "status": "queued",
        "videoUrl": REQUEST.input,
        "presets": presets,
    } | changes


def serve_list(wire: responses.RequestsMock, *jobs: Any, last: int = 1) -> None:
    wire.get(LIST, json={"pageInfo": {"currentPage": 1, "lastPage": last}, "data": list(jobs)})


# The token


def test_a_short_lived_token_is_signed_and_sent_bare(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    serve_list(wire)
    with time_machine.travel(NOW, tick=False):
        videosdk.check_credentials()
        sent = wire.calls[0].request.headers["Authorization"]
        assert jwt.get_unverified_header(sent)["alg"] == "HS256"
        payload = jwt.decode(
            sent, SECRET.ljust(32, "\0"), algorithms=["HS256"], options={"require": ["exp", "iat"]}
        )
    at = int(NOW.timestamp())
    assert payload == {"apikey": "the-key", "iat": at, "exp": at + 600}


def test_a_token_is_kept_until_shortly_before_its_end(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    serve_list(wire)
    with time_machine.travel(NOW, tick=False) as clock:
        for seconds in (0, 500, 20, -3000):  # the last one: the clock was set back
            clock.shift(seconds)
            videosdk.check_credentials()
    sent = [call.request.headers["Authorization"] for call in wire.calls]
    assert sent[0] == sent[1]
    assert len(set(sent)) == 3


def test_a_ready_token_is_sent_as_it_is(http: HttpClient, wire: responses.RequestsMock) -> None:
    serve_list(wire)
    make_adapter(http, token="eyJ.ready.one", api_key="alone").check_credentials()
    assert wire.calls[0].request.headers["Authorization"] == "eyJ.ready.one"


@pytest.mark.parametrize("secret", ["-----BEGIN PUBLIC KEY-----\nMFw\n-----END PUBLIC KEY-----"])
def test_a_secret_that_cannot_sign_is_reported_without_it(http: HttpClient, secret: str) -> None:
    with pytest.raises(AuthRefused) as caught:
        make_adapter(http, api_key="k", secret=secret).check_credentials()
    assert "MFw" not in str(caught.value)
    assert caught.value.__context__ is None


@pytest.mark.parametrize(
    ("credentials", "field"),
    [
        ({}, "token"),
        ({"api_key": "k"}, "secret"),
        ({"secret": "s"}, "api_key"),
        ({"token": "t"}, None),
        ({"api_key": "k", "secret": "s"}, None),
    ],
)
def test_an_account_needs_a_token_or_a_key_and_its_secret(
    credentials: dict[str, str], field: str | None
) -> None:
    sentence = "Video SDK needs API key and Secret, or Token."
    expected = {field: sentence} if field else {}
    assert VideoSDK.check_credentials_given(credentials, {}) == expected


# Submitting


def test_a_request_becomes_a_body(videosdk: VideoSDK) -> None:
    request = replace(REQUEST, thumbnails=Thumbnails(timestamps=(0, 61), height=360))
    assert videosdk.check_request(request) == []
    assert videosdk.build_request(request) == {
        "videoUrl": REQUEST.input,
        "presets": [
            {"resolutions": ["240", "480"], "format": "hls"},
            {"resolutions": ["4k"], "format": "mp4"},
        ],
        "thumbnails": [
            {"timestamp": at, "resolutions": ["360"], "formats": ["jpg"], "filters": ["none"]}
            for at in ("00:00:00", "00:01:01")
        ],
    }


def test_the_times_of_thumbnails_go_over_the_hour(videosdk: VideoSDK) -> None:
    request = replace(REQUEST, thumbnails=Thumbnails(timestamps=(0, 3661, 7323)))
    stamps = [entry["timestamp"] for entry in videosdk.build_request(request)["thumbnails"]]
    assert stamps == ["00:00:00", "01:01:01", "02:02:03"]


def test_thumbnails_without_a_height_are_as_large_as_the_largest_file(
    videosdk: VideoSDK,
) -> None:
    renditions = (Rendition("mp4", (720, 240)), Rendition("hls", (480,)))
    request = replace(REQUEST, renditions=renditions, thumbnails=Thumbnails(timestamps=(1,)))
    (entry,) = videosdk.build_request(request)["thumbnails"]
    assert entry["resolutions"] == ["720"]


def test_4k_is_spelled_as_each_list_of_sizes_has_it(videosdk: VideoSDK) -> None:
    """Small for presets, and with a capital for thumbnails."""
    request = replace(REQUEST, thumbnails=Thumbnails(timestamps=(1,), height=2160))
    body = videosdk.build_request(request)
    assert body["presets"][1]["resolutions"] == ["4k"]
    assert body["thumbnails"][0]["resolutions"] == ["4K"]


def test_the_id_of_a_file_is_sent_as_such(videosdk: VideoSDK) -> None:
    body = videosdk.build_request(replace(REQUEST, input=FILE_ID))
    assert body["videoId"] == FILE_ID
    assert "videoUrl" not in body


def test_extra_may_name_the_source_and_the_webhook(videosdk: VideoSDK) -> None:
    extra = {"videoId": FILE_ID, "webhookUrl": "https://board.example.org/hooks/"}
    body = videosdk.build_request(replace(REQUEST, extra=extra))
    assert "videoUrl" not in body
    assert body.items() >= extra.items()


@pytest.mark.parametrize(
    ("metadata", "sent"),
    [
        (None, {"reelboard": KEY}),
        ({"episode": 4}, {"episode": 4, "reelboard": KEY}),
        ("reel 4", {"reelboard_value": "reel 4", "reelboard": KEY}),
        ({"reelboard": 1}, {"reelboard_value": {"reelboard": 1}, "reelboard": KEY}),
    ],
)
def test_metadata_stays_whole_beside_our_key(
    videosdk: VideoSDK, wire: responses.RequestsMock, metadata: Any, sent: Any
) -> None:
    body = videosdk.build_request(replace(REQUEST, metadata=metadata), KEY)
    assert body["userData"] == sent
    serve_list(wire, make_job(NOW, userData=sent))
    (job,) = next(videosdk.list_jobs()).jobs
    assert (job.metadata, job.key) == (metadata, KEY)


def test_the_customers_user_data_in_extra_keeps_our_key(videosdk: VideoSDK) -> None:
    request = replace(REQUEST, metadata="left", extra={"userData": {"a": 1}})
    assert videosdk.build_request(request, KEY)["userData"] == {"a": 1, "reelboard": KEY}


def test_a_created_job_waits(videosdk: VideoSDK, wire: responses.RequestsMock, load: Load) -> None:
    wire.post(JOBS, json={**load("videosdk/created.json"), "status": None}, status=201)
    job = videosdk.submit(REQUEST, KEY)
    assert (job.status, job.key) == (JobStatus.QUEUED, KEY)
    assert len(job.outputs) == 2
    assert OutputStatus.SUCCEEDED not in {output.status for output in job.outputs}


@pytest.mark.parametrize(
    ("label", "status"),
    [("Queued", JobStatus.QUEUED), ("processing", JobStatus.RUNNING), ("held", JobStatus.UNKNOWN)],
)
def test_the_status_of_a_creation_counts_where_there_is_one(
    videosdk: VideoSDK, wire: responses.RequestsMock, load: Load, label: str, status: JobStatus
) -> None:
    wire.post(JOBS, json={**load("videosdk/created.json"), "status": label})
    job = videosdk.submit(REQUEST, KEY)
    assert (job.status, job.provider_status) == (status, label)


@pytest.mark.parametrize("answer", [{"message": "Accepted"}, {"id": None}, [], None])
def test_a_creation_that_names_no_job_leaves_open_whether_there_is_one(
    videosdk: VideoSDK, wire: responses.RequestsMock, answer: Any
) -> None:
    wire.post(JOBS, json=answer)
    with pytest.raises(BadAnswer) as caught:
        videosdk.submit(REQUEST, KEY)
    assert caught.value.ambiguous


def find(videosdk: VideoSDK, **changes: Any) -> list[RequestIssue]:
    return videosdk.check_request(replace(REQUEST, **changes))


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"input": "s3://rushes/reel.mov"}, "input"),
        ({"input": "7741"}, "input"),
        ({"destination": "s3://reels/"}, "destination"),
        ({"renditions": ()}, "renditions"),
        ({"renditions": (Rendition("mp4", ()),)}, "renditions"),
        ({"renditions": (Rendition("dash", (240,)),)}, "renditions"),
        ({"renditions": (Rendition("mp4", (360, 500)),)}, "renditions"),
        ({"thumbnails": Thumbnails(timestamps=(1,), formats=("png",))}, "thumbnails.formats"),
        ({"thumbnails": Thumbnails(timestamps=(1,), filters=("blue",))}, "thumbnails.filters"),
        ({"thumbnails": Thumbnails(timestamps=(1.5,))}, "thumbnails.timestamps"),
        ({"thumbnails": Thumbnails(timestamps=(*range(101),))}, "thumbnails.timestamps"),
        ({"thumbnails": Thumbnails(interval_s=5)}, "thumbnails.interval_s"),
        ({"thumbnails": Thumbnails(count=3)}, "thumbnails.count"),
        ({"thumbnails": Thumbnails(timestamps=(1,), width=320)}, "thumbnails.width"),
        ({"thumbnails": Thumbnails(timestamps=(1,), height=333)}, "thumbnails.height"),
        ({"test": True}, "test"),
    ],
)
def test_what_it_cannot_do_is_refused_beforehand(
    videosdk: VideoSDK, changes: dict[str, Any], field: str
) -> None:
    (issue,) = find(videosdk, **changes)
    assert (issue.field, issue.blocking) == (field, True)


def test_what_it_decides_by_itself_is_reported(videosdk: VideoSDK) -> None:
    (issue,) = find(videosdk, priority=3)
    assert (issue.field, issue.blocking) == ("priority", False)
    (issue,) = find(videosdk, extra={"presets": [{"format": "hls", "resolutions": ["source"]}]})
    assert (issue.field, issue.blocking) == ("renditions", False)


def test_thumbnails_come_in_several_formats_and_with_several_filters(videosdk: VideoSDK) -> None:
    asked = Thumbnails(timestamps=(3,), formats=("jpg", "webp"), filters=("none", "blur"))
    request = replace(REQUEST, thumbnails=asked)
    assert videosdk.check_request(request) == []
    (entry,) = videosdk.build_request(request)["thumbnails"]
    assert (entry["formats"], entry["filters"]) == (["jpg", "webp"], ["none", "blur"])


# Looking for a submission


def test_a_job_that_echoes_the_key_is_found(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    ours = make_job(NOW, 2, userData={"reelboard": KEY})
    serve_list(wire, make_job(NOW, 1), ours, make_job(NOW, 3))
    found = videosdk.find_by_key(KEY, REQUEST, NOW)
    assert found.job is not None
    assert found.job.remote_id == ours["id"]


def test_without_an_echo_a_job_of_that_time_with_our_source_and_settings_is_ours(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    decoys = [
        make_job(NOW, 1, videoUrl="https://media.example.com/in/Other.mov"),
        make_job(NOW, 2, presets=[{"resolutions": ["240"], "format": "hls"}]),
        make_job(NOW, 3, userData={"reelboard": "1" * 32}),  # another submission's
        make_job(NOW - SIMILAR_SKEW - timedelta(seconds=1), 4),
        make_job(NOW, 5, id="77"),  # no time is known
    ]
    serve_list(wire, *decoys)
    assert videosdk.find_by_key(KEY, REQUEST, NOW).job is None
    wire.reset()
    serve_list(wire, *decoys, make_job(NOW, 6, webhookUrl="https://w.example/"))
    found = videosdk.find_by_key(KEY, REQUEST, NOW)
    assert (found.job and found.job.remote_id, found.complete) == (make_id(NOW, 6), True)


def test_two_that_could_be_it_are_none(videosdk: VideoSDK, wire: responses.RequestsMock) -> None:
    serve_list(wire, make_job(NOW, 2), make_job(NOW, 1))
    found = videosdk.find_by_key(KEY, REQUEST, NOW)
    assert (found.job, found.complete) == (None, True)
    assert not videosdk.echoes_key


def test_one_that_comes_twice_in_a_growing_list_is_no_doubt(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    first, second = make_job(NOW, 2, videoUrl="https://other.example/"), make_job(NOW, 1)
    for number, jobs in ((1, [first, second]), (2, [second])):
        wire.get(
            LIST,
            json={"pageInfo": {"currentPage": number, "lastPage": 2}, "data": jobs},
            match=[matchers.query_param_matcher({"page": number}, strict_match=False)],
        )
    found = videosdk.find_by_key(KEY, REQUEST, NOW)
    assert len(wire.calls) == 2
    assert found.job is not None
    assert found.job.remote_id == second["id"]


def serve_pages(wire: responses.RequestsMock, at: datetime) -> None:
    """Serve 99 pages of one job each, all made at one time."""

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        number = int(request.params["page"])
        job = make_job(at, 1000 - number, videoUrl="https://other.example/")
        info = {"currentPage": number, "lastPage": 99}
        return 200, {}, json.dumps({"pageInfo": info, "data": [job]})

    wire.add_callback("GET", LIST, answer, content_type="application/json")


def test_a_search_ends_where_all_jobs_are_older(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    serve_pages(wire, NOW - timedelta(hours=1))
    assert videosdk.find_by_key(KEY, REQUEST, NOW).complete
    assert len(wire.calls) == MIN_PAGES


def test_a_search_that_is_cut_short_says_so(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    serve_pages(wire, NOW + timedelta(hours=1))
    assert not videosdk.find_by_key(KEY, REQUEST, NOW).complete
    assert len(wire.calls) == MAX_PAGES
    wire.reset()
    wire.get(LIST, status=503)
    assert not videosdk.find_by_key(KEY, REQUEST, NOW).complete


def test_one_alike_proves_nothing_where_the_search_was_cut_short(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    """Another one may be on the page that could not be read."""
    first = matchers.query_param_matcher({"page": 1}, strict_match=False)
    info = {"currentPage": 1, "lastPage": 2}
    wire.get(LIST, json={"pageInfo": info, "data": [make_job(NOW, 1)]}, match=[first])
    wire.get(LIST, status=503)
    found = videosdk.find_by_key(KEY, REQUEST, NOW)
    assert (found.job, found.complete) == (None, False)


def test_a_search_with_a_refused_token_is_no_search(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    wire.get(LIST, status=401)
    with pytest.raises(AuthRefused):
        videosdk.find_by_key(KEY, REQUEST, NOW)


# Deleting


def test_cancelling_deletes_and_ignores_the_status_in_the_response(
    videosdk: VideoSDK, wire: responses.RequestsMock, load: Load
) -> None:
    body = load("videosdk/deleted.json")
    wire.delete(f"{JOBS}/{body['id']}", json=body)
    videosdk.cancel(body["id"])
    assert videosdk.cancellable == {JobStatus.QUEUED}


@pytest.mark.parametrize("answer", [{"status": " QUEUED "}, {"status": None}, {}, [], None])
def test_a_deletion_is_done_where_the_answer_reports_no_other_state(
    videosdk: VideoSDK, wire: responses.RequestsMock, answer: Any
) -> None:
    wire.delete(f"{JOBS}/77", json=answer)
    videosdk.cancel("77")
    assert len(wire.calls) == 1


def test_an_answer_that_reports_another_state_is_a_refusal(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    wire.delete(f"{JOBS}/77", json={"id": "77", "status": "processing"})
    with pytest.raises(Conflict):
        videosdk.cancel("77")


def test_a_refused_token_is_no_matter_of_the_job(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    wire.delete(f"{JOBS}/77", status=401)
    wire.get(LIST, status=401)
    with pytest.raises(AuthRefused):
        videosdk.cancel("77")


def test_a_withdrawn_service_loses_no_job(
    videosdk: VideoSDK, wire: responses.RequestsMock, load: Load
) -> None:
    page = load("videosdk/withdrawn.html")
    for link in (f"{JOBS}/77", LIST):
        wire.get(link, body=page, status=200, content_type="text/html")
    with pytest.raises(Withdrawn, match="no longer offers") as caught:
        videosdk.get_job("77")
    assert caught.value.error_class == "provider.withdrawn"


def test_the_list_is_asked_for_once_when_many_jobs_are_gone(
    videosdk: VideoSDK, wire: responses.RequestsMock
) -> None:
    serve_list(wire)
    for number in range(5):
        wire.get(f"{JOBS}/{number}", status=404)
        with pytest.raises(NotFound):
            videosdk.get_job(str(number))
    assert sum(str(call.request.url).startswith(LIST + "?") for call in wire.calls) == 1


# Deliveries

JOB_ID = "69a555189c1f40b7e2000100"


@pytest.mark.parametrize(
    ("body", "remote_id"),
    [
        ({"id": JOB_ID, "status": "completed"}, JOB_ID),
        ({"jobId": JOB_ID, "id": FILE_ID, "fileUrl": "https://cdn.example.net/a"}, JOB_ID),
        ({"webhookType": "encoder", "data": {"id": JOB_ID}}, JOB_ID),
        ({"data": {"jobId": JOB_ID}}, JOB_ID),
        ({"job": {"id": JOB_ID, "status": "failed"}}, JOB_ID),
        ({"files": [None, {"jobId": JOB_ID, "id": FILE_ID}]}, JOB_ID),
        ({"id": FILE_ID, "jobId": None, "fileUrl": "https://cdn.example.net/a"}, None),
        ({"id": "12", "data": {"id": "recording-started"}}, None),
        ({"webhookType": "session-started", "data": {"sessionId": JOB_ID}}, None),
        ({}, None),
    ],
)
def test_the_job_of_a_delivery_is_recognized_by_the_shape_of_its_id(
    body: dict[str, Any], remote_id: str | None
) -> None:
    event = VideoSDK.read_webhook({}, json.dumps(body).encode(), "")
    assert event.remote_id == remote_id
    assert event.description
