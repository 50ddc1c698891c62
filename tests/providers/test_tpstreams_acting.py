"""Submitting to TPStreams, finding a submission, cancelling, webhooks, the account."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
from responses import matchers

from providers.core.contract import Account
from providers.core.errors import (
    AuthRefused,
    BadAnswer,
    Conflict,
    NotFound,
    Rejected,
    WebhookRefused,
)
from providers.core.issues import RequestIssue
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import JobRequest, Rendition, Thumbnails
from providers.http.client import HttpClient
from providers.paging.key_search import MAX_PAGES
from providers.parsing import customer_object
from providers.tpstreams.adapter import MAX_READS, METADATA_BYTES, TPStreams

BASE = "https://tpstreams.example.com/api/v1"
JOBS = f"{BASE}/6dnpyx/transcoding_jobs/"
KEY = "0f8fad5bd9cb469fa16570867728950e"
OTHER_KEY = "7c9e6679f7424ab69e1e6cbbf5c2f6a1"
SINCE = datetime(2026, 3, 11, 9, 0, tzinfo=UTC)
SOURCE = "https://media.example.com/rushes/Ferry%20crossing.mov"
REQUEST = JobRequest(
    input=SOURCE,
    destination="s3://reels/ferry/?access_key=AK&secret_key=S/K+&region=eu-west-1",
    renditions=(Rendition("hls", (240, 720)),),
)

Load = Callable[[str], Any]


@pytest.fixture
def tpstreams(http: HttpClient) -> TPStreams:
    account = Account(BASE, {"token": "canary-token"}, {"organization_id": "6dnpyx"})
    return TPStreams(account, http)


# Submitting


def test_a_submission_becomes_resolutions_and_a_path(tpstreams: TPStreams) -> None:
    renditions = (Rendition("hls", (240, 720)), Rendition("mp4", (720, 1080)))
    request = replace(
        REQUEST, renditions=renditions, metadata={"asset": 7}, extra={"enable_drm": True}
    )
    assert tpstreams.build_request(request, KEY) == {
        "input_url": SOURCE,
        "output_path": REQUEST.destination,
        "resolutions": ["240p", "720p", "1080p"],
        "enable_drm": True,
        "client_metadata": {"asset": 7, "reelboard": KEY},
    }


def test_a_source_in_a_bucket_is_sent_as_a_path(tpstreams: TPStreams) -> None:
    path = "s3://ingest/video.mp4/?access_key=AK&secret_key=a/b+c&region=eu-west-1"
    body = tpstreams.build_request(replace(REQUEST, input=path))
    assert body["input_path"] == path
    assert "input_url" not in body
    assert not any(
        issue.blocking for issue in tpstreams.check_request(replace(REQUEST, input=path))
    )


def test_a_source_in_extra_is_the_only_one(tpstreams: TPStreams) -> None:
    request = replace(REQUEST, extra={"input_path": "s3://ingest/other.mp4"})
    body = tpstreams.build_request(request)
    assert body["input_path"] == "s3://ingest/other.mp4"
    assert "input_url" not in body


@pytest.mark.parametrize(
    "metadata",
    [
        {"asset": 7, "tags": ["a", {"b": None}]},
        {"reelboard": "the customer's own"},
        {"reelboard_value": 1},
        {"reelboard_value": 1, "reelboard": OTHER_KEY},
        {},
        "episode 12",
        "",
        12,
        0,
        False,
        ["a", 1],
        None,
    ],
    ids=repr,
)
def test_metadata_of_any_kind_comes_back_whole(metadata: Any) -> None:
    for key in (KEY, None):
        sent = customer_object.write(metadata, key)
        assert sent is None or isinstance(sent, dict)
        assert customer_object.read(json.loads(json.dumps(sent))) == (metadata, key)


@pytest.mark.parametrize(
    "reported",
    [
        {"reelboard": None},
        {"reelboard": {"a": 1}},
        {"reelboard": "two words", "asset": 7},
        {"asset": 7},
        {},
        "text",
        [1],
        None,
    ],
    ids=repr,
)
def test_metadata_of_others_is_left_as_it_is(reported: Any) -> None:
    assert customer_object.read(reported) == (reported, None)


def test_metadata_in_extra_is_the_customers_and_keeps_our_key(tpstreams: TPStreams) -> None:
    request = replace(REQUEST, metadata="loses", extra={"client_metadata": {"wins": 1}})
    body = tpstreams.build_request(request, KEY)
    assert body["client_metadata"] == {"wins": 1, "reelboard": KEY}


def test_a_created_job_waits_and_has_the_renditions_asked_for(
    tpstreams: TPStreams, wire: responses.RequestsMock, load: Load
) -> None:
    wire.post(JOBS, json=load("tpstreams/created.json"), status=201)
    job = tpstreams.submit(REQUEST, OTHER_KEY)
    assert (job.remote_id, job.status, job.key) == ("mN5cB8xQz3y", JobStatus.QUEUED, OTHER_KEY)
    assert [(output.remote_id, output.status) for output in job.outputs] == [
        ("240p", OutputStatus.QUEUED),
        ("480p", OutputStatus.QUEUED),
    ]
    sent = json.loads(wire.calls[0].request.body or "")
    assert sent["client_metadata"] == {"reelboard": OTHER_KEY}
    assert sent["output_path"] == REQUEST.destination
    assert wire.calls[0].request.headers["Authorization"] == "Token canary-token"


def test_an_answer_with_an_id_alone_is_a_job_that_waits(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    wire.post(JOBS, json={"id": "abc"}, status=200)
    assert tpstreams.submit(REQUEST, KEY).status is JobStatus.QUEUED


def test_an_answer_without_an_id_leaves_open_whether_the_job_exists(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    wire.post(JOBS, json={"status": "Queued"}, status=201)
    with pytest.raises(BadAnswer) as caught:
        tpstreams.submit(REQUEST, KEY)
    assert caught.value.ambiguous


def test_a_refusal_reports_each_field(
    tpstreams: TPStreams, wire: responses.RequestsMock, load: Load
) -> None:
    wire.post(JOBS, json=load("tpstreams/rejected.json"), status=400)
    with pytest.raises(Rejected) as caught:
        tpstreams.submit(REQUEST, KEY)
    assert caught.value.fields == load("tpstreams/rejected.json")
    wire.upsert("POST", JOBS, json={"detail": "JSON parse error."}, status=400)
    with pytest.raises(Rejected, match="JSON parse error"):
        tpstreams.submit(REQUEST, KEY)


@pytest.mark.parametrize(
    ("changes", "field", "blocking"),
    [
        ({"input": "ftp://h/a.mov"}, "input", True),
        ({"input": "a.mov"}, "input", True),
        ({"destination": None}, "destination", True),
        ({"destination": "https://h/put/"}, "destination", True),
        ({"renditions": ()}, "renditions", True),
        ({"renditions": (Rendition("hls", ()),)}, "renditions", True),
        ({"metadata": {"x": "é" * 1700}}, "metadata", True),
        ({"metadata": {"x": "y" * (METADATA_BYTES - 20)}}, "metadata", True),
        ({"metadata": "x" * METADATA_BYTES}, "metadata", True),
        ({"thumbnails": Thumbnails(count=1)}, "thumbnails", True),
        ({"test": True}, "test", True),
        ({"priority": 9}, "priority", False),
    ],
)
def test_what_tpstreams_would_not_do_is_reported_before_sending(
    tpstreams: TPStreams, changes: dict[str, Any], field: str, blocking: bool
) -> None:
    good = replace(REQUEST, metadata={"x": "é" * 1600})
    approximated = TPStreams.note("renditions", "packaging_decided")
    assert approximated == RequestIssue(
        "renditions", "packaging_decided", {"provider": "TPStreams"}, blocking=False
    )
    assert approximated.message == "TPStreams chooses the packaging itself."
    assert tpstreams.check_request(good) == [approximated]
    issues = [i for i in tpstreams.check_request(replace(good, **changes)) if i != approximated]
    assert [(issue.field, issue.blocking) for issue in issues] == [(field, blocking)]
    assert issues[0].message.endswith(".")


def test_heights_that_are_not_made_are_named(tpstreams: TPStreams) -> None:
    request = replace(REQUEST, renditions=(Rendition("mp4", (144, 240, 540, 2160)),))
    issue, _ = tpstreams.check_request(request)
    assert (issue.field, issue.blocking) == ("renditions", True)
    assert "240, 360, 480, 720 and 1080, not 144, 540 and 2160" in issue.message


def test_resolutions_in_extra_replace_the_renditions(tpstreams: TPStreams) -> None:
    request = replace(REQUEST, extra={"resolutions": ["360p"]})
    (issue,) = tpstreams.check_request(request)
    assert (issue.field, issue.blocking) == ("renditions", False)
    assert tpstreams.check_request(replace(request, renditions=())) == []


def test_odd_shapes_in_extra_are_passed_on(tpstreams: TPStreams) -> None:
    for odd in (None, 7, [1, None], {"a": 1}):
        for name in ("input_url", "output_path", "resolutions", "client_metadata"):
            request = replace(REQUEST, extra={name: odd})
            tpstreams.check_request(request)
            tpstreams.build_request(request, KEY)


def test_metadata_that_leaves_no_room_for_our_key_is_refused_unsent(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    request = replace(REQUEST, metadata={"x": "y" * (METADATA_BYTES - 20)})
    with pytest.raises(Rejected, match="room"):
        tpstreams.submit(request, KEY)
    assert len(wire.calls) == 0


# Finding a submission


def make_job(name: str, minutes: float | None = None, **more: Any) -> dict[str, Any]:
    """A job of a list, that began so many minutes after SINCE (None: it waits)."""
    started = None if minutes is None else (SINCE + timedelta(minutes=minutes)).isoformat()
    return {"id": name, "status": "queued", "input_url": SOURCE, "start_time": started, **more}


def serve(wire: responses.RequestsMock, *pages: list[Any], keys: dict[str, Any]) -> None:
    """Serve pages of a list, and alone the jobs in `keys` with these submission keys."""
    for number, results in enumerate(pages, start=1):
        query = {"ordering": "-created", **({"page": str(number)} if number > 1 else {})}
        following = f"{JOBS}?page={number + 1}" if number < len(pages) else None
        body = {"next": following, "results": results}
        wire.get(JOBS, json=body, match=[matchers.query_param_matcher(query)])
    for name, key in keys.items():
        metadata = {"client_metadata": {"reelboard": key}}
        wire.get(f"{JOBS}{name}/", json={**make_job(name), **metadata})


def read_alone(wire: responses.RequestsMock) -> list[str]:
    """Ids of the jobs that were asked for."""
    ids = [str(call.request.url).removeprefix(JOBS).strip("/") for call in wire.calls]
    return [name for name in ids if "?" not in name]


def test_jobs_of_the_same_source_are_read_until_one_has_the_key(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    serve(
        wire,
        [make_job("a"), make_job("b", input_url="https://h/other.mov"), make_job("c", 3)],
        [make_job("d", 1), make_job("e", 0.5)],
        keys={"a": OTHER_KEY, "c": None, "d": KEY, "e": KEY},
    )
    found = tpstreams.find_by_key(KEY, REQUEST, SINCE)
    assert found.job
    assert (found.job.remote_id, found.job.key) == ("d", KEY)
    assert read_alone(wire) == ["a", "c", "d"]


def test_a_list_that_reports_the_metadata_needs_no_reading(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    reported = [
        make_job("a", client_metadata={"desk": "news"}),
        make_job("b", client_metadata={"reelboard": KEY}),
    ]
    serve(wire, reported, keys={})
    found = tpstreams.find_by_key(KEY, REQUEST, SINCE)
    assert found.job
    assert found.job.remote_id == "b"
    assert read_alone(wire) == []


@pytest.mark.parametrize(
    ("sent", "echoed"),
    [
        (
            "https://h/a%20b.mov?X-Amz-Signature=canary",
            "https://h/a b.mov?X-Amz-Signature=canary2",
        ),
        ("s3://ingest/a.mov/?access_key=x&secret_key=y", "s3://ingest/a.mov"),
        ("https://me:canary@h/a.mov", "https://me:canary@h/a.mov"),
        ("https://h/a.mov", None),
    ],
)
def test_a_source_is_known_again_however_it_is_signed(
    tpstreams: TPStreams, wire: responses.RequestsMock, sent: str, echoed: str | None
) -> None:
    serve(wire, [make_job("a", input_url=echoed)], keys={"a": KEY})
    assert tpstreams.find_by_key(KEY, replace(REQUEST, input=sent), SINCE).job


def test_a_search_ends_where_jobs_began_before_the_submission(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    names = ["abc", "def", "ghi", "jkl"]
    pages = [[make_job(name, -30) for name in page] for page in names]
    serve(wire, *pages, keys=dict.fromkeys("abcdefghi", OTHER_KEY))
    found = tpstreams.find_by_key(KEY, REQUEST, SINCE)
    assert (found.job, found.complete) == (None, True)
    assert read_alone(wire) == list("abcdefghi")
    assert len(wire.calls) == 3 + 9


def test_jobs_that_began_too_early_are_read_only_as_long_as_reads_are_left(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    """Else a source that is encoded every night could never be searched to the end."""
    old = [make_job(f"j{number}", -60) for number in range(MAX_READS + 5)]
    serve(wire, old, keys={job["id"]: OTHER_KEY for job in old})
    assert tpstreams.find_by_key(KEY, REQUEST, SINCE).complete
    assert len(read_alone(wire)) == MAX_READS


def test_a_job_is_found_although_the_providers_clock_is_hours_behind(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    serve(wire, [make_job("a", -180)], keys={"a": KEY})
    assert tpstreams.find_by_key(KEY, REQUEST, SINCE).job


def test_a_list_that_is_oldest_first_is_read_to_its_end(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    keys = {"a": OTHER_KEY, "b": OTHER_KEY, "c": KEY}
    serve(wire, [make_job("a", -90), make_job("b", -60)], [make_job("c", 2)], keys=keys)
    assert tpstreams.find_by_key(KEY, REQUEST, SINCE).job


def test_a_job_that_vanishes_meanwhile_is_passed_over(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    serve(wire, [make_job("a"), make_job("b")], keys={"b": KEY})
    wire.get(f"{JOBS}a/", json={"detail": "Not found."}, status=404)
    assert tpstreams.find_by_key(KEY, REQUEST, SINCE).job


def test_a_search_that_is_cut_short_proves_nothing(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    serve(wire, [make_job("a"), make_job("b")], keys={"a": OTHER_KEY})
    wire.get(f"{JOBS}b/", status=503)
    assert not tpstreams.find_by_key(KEY, REQUEST, SINCE).complete
    wire.reset()
    many = [make_job(f"j{number}") for number in range(MAX_READS + 1)]
    serve(wire, many, keys={job["id"]: OTHER_KEY for job in many})
    assert not tpstreams.find_by_key(KEY, REQUEST, SINCE).complete
    assert len(read_alone(wire)) == MAX_READS
    wire.reset()
    other = make_job("x", input_url="https://h/other.mov")
    serve(wire, *([other] for _ in range(MAX_PAGES + 3)), keys={})
    assert not tpstreams.find_by_key(KEY, REQUEST, SINCE).complete
    assert len(wire.calls) == MAX_PAGES


def test_a_search_with_refused_credentials_is_an_error(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    wire.get(JOBS, json={"detail": "Invalid token."}, status=401)
    with pytest.raises(AuthRefused):
        tpstreams.find_by_key(KEY, REQUEST, SINCE)


# Cancelling


@pytest.mark.parametrize("status", [200, 202])
def test_a_job_is_cancelled_when_the_message_says_so(
    tpstreams: TPStreams, wire: responses.RequestsMock, status: int
) -> None:
    wire.delete(f"{JOBS}abc/", json={"message": "Job cancelled successfully."}, status=status)
    tpstreams.cancel("abc")
    assert len(wire.calls) == 1


def test_a_cancellation_may_be_answered_without_a_message(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    wire.delete(f"{JOBS}abc/", body="", status=204)
    tpstreams.cancel("abc")


@pytest.mark.parametrize("status", [200, 202, 400, 409, 422])
@pytest.mark.parametrize(
    "phrase",
    [
        "Job is already completed.",
        "A job in this state cannot be cancelled.",
        "A completed job can not be cancelled.",
        "It can't be cancelled any more.",
        "Jobs can only be cancelled while they are under way.",
        "Could not cancel the job.",
        "Unable to cancel the job.",
    ],
)
def test_a_job_that_is_done_is_a_conflict_whatever_the_status(
    tpstreams: TPStreams, wire: responses.RequestsMock, status: int, phrase: str
) -> None:
    wire.delete(f"{JOBS}abc/", json={"message": phrase}, status=status)
    with pytest.raises(Conflict, match="ended already"):
        tpstreams.cancel("abc")


def test_a_refused_token_is_no_conflict(tpstreams: TPStreams, wire: responses.RequestsMock) -> None:
    wire.delete(f"{JOBS}abc/", json={"detail": "The token is already revoked."}, status=401)
    with pytest.raises(AuthRefused):
        tpstreams.cancel("abc")
    wire.upsert("DELETE", f"{JOBS}abc/", json={"detail": "Not found."}, status=404)
    with pytest.raises(NotFound):
        tpstreams.cancel("abc")


# Webhooks


def test_a_job_event_is_distinguished_from_those_of_assets_and_live_streams(load: Load) -> None:
    for name, remote_id, phrase in (
        ("job", "Zb4Tn81LmQe", "transcoding job transcoding"),
        ("asset", None, "asset Completed"),
        ("livestream", None, "live stream Streaming"),
    ):
        body = json.dumps(load(f"tpstreams/webhook_{name}.json")).encode()
        event = TPStreams.read_webhook({"x-streams-token": "s"}, body, "s")
        assert (event.remote_id, event.description) == (remote_id, phrase)


@pytest.mark.parametrize(
    ("body", "remote_id"),
    [
        ({"id": "a", "input_path": "s3://b/c", "output_path": None, "resolutions": []}, "a"),
        ({"id": {}, "input_url": "x", "output_path": "y", "resolutions": []}, None),
        ({"id": "a", "status": "completed"}, None),
        ({"id": "a", "resolutions": [240], "status": "queued"}, None),
        ({"id": "a", "resolutions": ["240p"], "input_url": "https://h/a.mov"}, None),
        ({"id": "a", "input_url": "https://h/a.mov", "output_path": "s3://b/"}, None),
        ({"asset_id": "a", "deleted_resolutions": ["240p"]}, None),
        ({}, None),
    ],
)
def test_a_job_is_known_by_its_shape_alone(body: Any, remote_id: str | None) -> None:
    event = TPStreams.read_webhook({}, json.dumps(body).encode(), "")
    assert event.remote_id == remote_id
    assert event.description


def test_an_event_is_described_without_secrets() -> None:
    body = {"id": "a", "live_stream": {"status": "stopped: token=canary"}}
    event = TPStreams.read_webhook({}, json.dumps(body).encode(), "")
    assert event.description.startswith("live stream stopped")
    assert "canary" not in event.description


@pytest.mark.parametrize("given", [None, "", "S3CRET", "s3cret ", "sécret"])
def test_a_webhook_without_the_token_is_refused(load: Load, given: str | None) -> None:
    body = json.dumps(load("tpstreams/webhook_job.json")).encode()
    headers = {} if given is None else {"x-streams-token": given}
    with pytest.raises(WebhookRefused):
        TPStreams.read_webhook(headers, body, "s3cret")


# The account


def test_credentials_are_checked_by_the_list_and_nobody_signs_in(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    wire.get(JOBS, json={"next": f"{JOBS}?page=2", "results": []})
    tpstreams.check_credentials()
    assert [call.request.url for call in wire.calls] == [f"{JOBS}?ordering=-created"]
    names = {field.name for field in TPStreams.credential_fields}
    assert names == {"token", "webhook_secret"}


def test_an_account_needs_its_organization() -> None:
    missing = TPStreams.check_credentials_given({"token": "x"}, {})
    assert missing == {"organization_id": "TPStreams needs Organization id."}
