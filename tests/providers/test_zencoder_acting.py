"""What is sent to Zencoder, and how it is found again."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import responses
from responses import matchers

from providers.core.contract import Account
from providers.core.errors import AuthRefused, BadAnswer, Rejected
from providers.core.issues import RequestIssue
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import JobRequest, Rendition, Thumbnails
from providers.http.client import HttpClient
from providers.paging.key_search import MAX_PAGES, MIN_PAGES
from providers.zencoder.adapter import Zencoder
from tests.providers.cases.zencoder import BASE_URL as BASE
from tests.providers.cases.zencoder import make_job, serve_pages

KEY = "0f8fad5bd9cb469fa16570867728950e"
SINCE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

Load = Callable[[str], Any]


@pytest.fixture
def zencoder(http: HttpClient) -> Zencoder:
    return Zencoder(Account(BASE, {"api_key": "canary-full-access-key"}), http)


# Acting


def test_a_submission_becomes_outputs_with_labels_and_a_playlist(zencoder: Zencoder) -> None:
    request = JobRequest(
        input="https://media.example.com/a.mov",
        destination="s3://reels/a/",
        renditions=(Rendition("mp4", (360,)), Rendition("hls", (240, 360))),
        thumbnails=Thumbnails(count=3, width=320),
        metadata="episode 12",
        test=True,
        extra={"region": "europe"},
    )
    body = zencoder.build_request(request, KEY)
    assert body["input"] == "https://media.example.com/a.mov"
    assert (body["test"], body["region"]) == (True, "europe")
    assert body["pass_through"] == f"episode 12 rb:{KEY}"
    assert [output["label"] for output in body["outputs"]] == [
        "mp4-360p",
        "hls-240p",
        "hls-360p",
        "hls",
    ]
    # A playlist finds its streams by these names.
    assert [output["filename"] for output in body["outputs"]] == [
        "mp4-360p.mp4",
        "hls-240p.m3u8",
        "hls-360p.m3u8",
        "hls.m3u8",
    ]
    mp4, segments, _, playlist = body["outputs"]
    assert (mp4["format"], mp4["video_codec"], mp4["height"]) == ("mp4", "h264", 360)
    assert "width" not in mp4
    assert (segments["type"], segments["format"], segments["height"]) == ("segmented", "ts", 240)
    assert playlist["type"] == "playlist"
    assert playlist["streams"] == [
        {"source": "hls-240p", "path": "hls-240p.m3u8"},
        {"source": "hls-360p", "path": "hls-360p.m3u8"},
    ]
    assert {output["base_url"] for output in body["outputs"]} == {"s3://reels/a/"}
    assert mp4["thumbnails"] == {
        "number": 3,
        "format": "jpg",
        "width": 320,
        "base_url": "s3://reels/a/",
    }
    assert not any(issue.blocking for issue in zencoder.check_request(request))


def test_the_least_request_is_an_input_alone(zencoder: Zencoder) -> None:
    assert zencoder.build_request(JobRequest("https://h/a.mov")) == {"input": "https://h/a.mov"}
    every = zencoder.build_request(
        JobRequest("https://h/a.mov", "s3://b/", thumbnails=Thumbnails(interval_s=5))
    )
    thumbnails = {"interval": 5, "format": "jpg", "base_url": "s3://b/"}
    assert every["outputs"] == [{"base_url": "s3://b/", "thumbnails": thumbnails}]


def test_each_format_of_thumbnails_is_a_set_with_a_label(zencoder: Zencoder) -> None:
    asked = Thumbnails(timestamps=(0, 2.5), formats=("jpg", "png"), height=90)
    body = zencoder.build_request(JobRequest("https://h/a.mov", thumbnails=asked))
    assert body["outputs"][0]["thumbnails"] == [
        {"label": form, "format": form, "times": [0, 2.5], "height": 90} for form in ("jpg", "png")
    ]


@pytest.mark.parametrize(
    ("changes", "field", "blocking"),
    [
        ({"priority": 3}, "priority", False),
        ({"destination": None}, "destination", False),
        ({"renditions": (Rendition("dash", (360,)),)}, "renditions", True),
        ({"renditions": (Rendition("mp4", ()),)}, "renditions", True),
        ({"renditions": (Rendition("mp4", (360, 360)),)}, "renditions", True),
        ({"renditions": (Rendition("hls", tuple(range(100, 120))),)}, "renditions", True),
        ({"metadata": "x" * 216}, "metadata", True),
        ({"metadata": {"x": "y" * 250}}, "metadata", True),
        ({"thumbnails": Thumbnails(count=1, formats=("webp",))}, "thumbnails.formats", True),
        ({"thumbnails": Thumbnails(count=1, filters=("blur",))}, "thumbnails.filters", True),
        ({"thumbnails": Thumbnails(count=101)}, "thumbnails.count", True),
        ({"extra": {"api_key": "x"}}, "extra", True),
        ({"extra": {"mock": True}}, "extra", True),
        ({"extra": {"outputs": [{"url": "s3://b/x.mp4"}]}}, "renditions", False),
        ({"renditions": (), "extra": {"outputs": [{"url": "s3://b/"}] * 21}}, "renditions", True),
        ({"renditions": (), "extra": {"output": [{"url": "s3://b/"}] * 21}}, "renditions", True),
        ({"extra": {"output": {"url": "s3://b/x.mp4"}}}, "renditions", False),
        ({"renditions": (), "extra": {"outputs": {"label": "a"}}}, "destination", False),
        (
            {
                "renditions": (),
                "extra": {
                    "outputs": [
                        {"url": "s3://b/1", "label": "Web"},
                        {"url": "s3://b/2", "label": "web"},
                    ]
                },
            },
            "renditions",
            True,
        ),
        ({"extra": {"notifications": ["https://h/hook"] * 6}}, "extra", True),
        (
            {
                "renditions": (),
                "extra": {"outputs": [{"url": "s3://b/1", "notifications": ["a@b"] * 6}]},
            },
            "extra",
            True,
        ),
    ],
)
def test_what_zencoder_would_not_do_is_reported_before_sending(
    zencoder: Zencoder, changes: dict[str, Any], field: str, blocking: bool
) -> None:
    good = JobRequest(
        "https://h/a.mov", "s3://b/", (Rendition("mp4", (360, 720)),), metadata="x" * 215
    )
    assert zencoder.check_request(good) == []
    if {"output", "outputs"} & set(changes.get("extra", ())):
        good = replace(good, destination=None)  # outputs in extra name their own
    issues = zencoder.check_request(replace(good, **changes))
    assert {(issue.field, issue.blocking) for issue in issues} == {(field, blocking)}
    assert all(isinstance(issue, RequestIssue) and issue.message.endswith(".") for issue in issues)


def test_odd_shapes_in_extra_are_passed_on(zencoder: Zencoder) -> None:
    for outputs in (None, "x", [1, None], {"a": 1}):
        for name in ("outputs", "output", "notifications"):
            request = JobRequest("https://h/a.mov", extra={name: outputs})
            zencoder.check_request(request)
            assert zencoder.build_request(request)[name] == outputs


@pytest.mark.parametrize(
    "extra",
    [
        {"notifications": ["https://h/hook"] * 5},
        {"output": {"url": "s3://b/x.mp4", "notifications": ["https://h/hook"] * 5}},
        {"outputs": {"base_url": "s3://b/"}},
    ],
)
def test_what_zencoder_takes_is_not_held_against_a_request(
    zencoder: Zencoder, extra: dict[str, Any]
) -> None:
    request = JobRequest("https://h/a", "s3://b/", (Rendition("mp4", (360,)),), extra=extra)
    if {"output", "outputs"} & set(extra):
        request = replace(request, destination=None, renditions=())
    assert zencoder.check_request(request) == []


def test_outputs_in_extra_are_sent_under_one_name_alone(zencoder: Zencoder) -> None:
    mine = {"url": "s3://b/mine.mp4"}
    for name, other in (("output", "outputs"), ("outputs", "output")):
        request = JobRequest("https://h/a.mov", "s3://b/", extra={name: mine})
        body = zencoder.build_request(replace(request, renditions=(Rendition("mp4", (360,)),)))
        assert body[name] == mine
        assert other not in body


def test_the_customers_pass_through_keeps_our_key_too(zencoder: Zencoder) -> None:
    for metadata, extra, kept in (
        (None, {}, f"rb:{KEY}"),
        ({"a": [1]}, {}, f'{{"a":[1]}} rb:{KEY}'),
        ("mine", {"pass_through": "wins"}, f"wins rb:{KEY}"),
        (None, {"pass_through": {"a": 1}}, f'{{"a":1}} rb:{KEY}'),
    ):
        request = JobRequest("https://h/a.mov", metadata=metadata, extra=extra)
        assert zencoder.build_request(request, KEY)["pass_through"] == kept


def test_a_created_job_waits_and_has_its_outputs(
    zencoder: Zencoder, wire: responses.RequestsMock, load: Load
) -> None:
    wire.post(f"{BASE}/jobs", json=load("zencoder/created.json"), status=201)
    job = zencoder.submit(JobRequest("https://h/a.mov"), KEY)
    assert (job.remote_id, job.status, job.key, job.is_test) == (
        "734500123461",
        JobStatus.QUEUED,
        KEY,
        True,
    )
    assert [(output.label, output.status) for output in job.outputs] == [
        ("mp4-360p", OutputStatus.QUEUED),
        ("mp4-720p", OutputStatus.QUEUED),
    ]
    assert json.loads(wire.calls[0].request.body or "")["pass_through"] == f"rb:{KEY}"


def test_the_name_that_a_live_job_is_published_with_is_not_kept(
    zencoder: Zencoder, wire: responses.RequestsMock, load: Load
) -> None:
    reported = {"stream_url": "rtmp://live.example.com/in", "stream_name": "canary-and-more"}
    wire.post(f"{BASE}/jobs", json={**load("zencoder/created.json"), **reported}, status=201)
    job = zencoder.submit(JobRequest("https://h/a.mov"), KEY)
    assert job.raw["stream_url"] == reported["stream_url"]
    assert "canary" not in str(job.raw)


def test_a_creation_that_answers_200_is_taken_too(
    zencoder: Zencoder, wire: responses.RequestsMock, load: Load
) -> None:
    """The reference says 200, where the service says 201; neither has `test` for other jobs."""
    body = load("zencoder/created.json")
    del body["test"]
    wire.post(f"{BASE}/jobs", json=body, status=200)
    job = zencoder.submit(JobRequest("https://h/a.mov"), KEY)
    assert (job.remote_id, job.is_test) == ("734500123461", None)


def test_an_answer_without_an_id_leaves_open_whether_the_job_exists(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    wire.post(f"{BASE}/jobs", json={"id": None, "outputs": [{"id": None}]}, status=201)
    with pytest.raises(BadAnswer) as caught:
        zencoder.submit(JobRequest("https://h/a.mov"), KEY)
    assert caught.value.ambiguous


def test_metadata_that_leaves_no_room_for_our_key_is_refused_unsent(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    with pytest.raises(Rejected, match="room"):
        zencoder.submit(JobRequest("https://h/a.mov", metadata="x" * 250), KEY)
    assert len(wire.calls) == 0


def test_a_rejection_lists_every_sentence(
    zencoder: Zencoder, wire: responses.RequestsMock, load: Load
) -> None:
    wire.post(f"{BASE}/jobs", json=load("zencoder/rejected.json"), status=422)
    with pytest.raises(Rejected) as caught:
        zencoder.submit(JobRequest("https://h/a.mov"), KEY)
    assert caught.value.messages == load("zencoder/rejected.json")["errors"]


def test_cancel_and_resubmit_take_a_blank_204_and_any_id(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    anywhere = re.compile(re.escape(BASE))
    wire.put(anywhere, body=" ", status=204, content_type="application/json")
    zencoder.cancel("a/..?b")
    zencoder.resubmit("a/..?b")
    assert [call.request.url for call in wire.calls] == [
        f"{BASE}/jobs/a%2F..%3Fb/cancel",
        f"{BASE}/jobs/a%2F..%3Fb/resubmit",
    ]


# Finding a submission


def make_page(first: int, at: datetime, **changes: Any) -> list[Any]:
    """Make a full page whose jobs are one minute apart, newest first."""
    return [
        make_job(first - n, created_at=(at - timedelta(minutes=n)).isoformat(), **changes)
        for n in range(50)
    ]


def test_a_submission_is_found_by_its_key_on_a_later_page(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    pages = [make_page(200, SINCE + timedelta(hours=2)), make_page(150, SINCE + timedelta(hours=1))]
    pages[1][20]["job"]["pass_through"] = f"episode rb:{KEY}"
    pages[1][10]["job"]["pass_through"] = f"episode rb:{KEY[::-1]}"
    serve_pages(wire, pages)
    found = zencoder.find_by_key(KEY, JobRequest("https://h/a.mov"), SINCE)
    assert found.job
    assert found.job.remote_id == "130"


def test_the_search_ends_where_jobs_are_older_than_the_submission(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    serve_pages(wire, [make_page(400 - 50 * n, SINCE - timedelta(hours=n)) for n in range(5)])
    found = zencoder.find_by_key(KEY, JobRequest("https://h/a.mov"), SINCE)
    assert (found.job, found.complete) == (None, True)
    assert len(wire.calls) == MIN_PAGES


def test_the_search_allows_for_a_provider_whose_clock_is_behind(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    pages = [make_page(200, SINCE + timedelta(minutes=44)), make_page(150, SINCE)]
    pages[1][0]["job"]["pass_through"] = f"rb:{KEY}"
    serve_pages(wire, pages)
    assert zencoder.find_by_key(KEY, JobRequest("https://h/a.mov"), SINCE).job


def test_a_search_that_is_cut_short_proves_nothing(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    page = make_page(200, SINCE + timedelta(days=1))
    serve_pages(wire, [page])
    wire.get(
        f"{BASE}/jobs",
        status=503,
        match=[matchers.query_param_matcher({"page": 2, "per_page": 50})],
    )
    found = zencoder.find_by_key(KEY, JobRequest("https://h/a.mov"), SINCE)
    assert (found.job, found.complete) == (None, False)
    wire.reset()
    serve_pages(
        wire, [make_page(5000 - 50 * n, SINCE + timedelta(days=9)) for n in range(MAX_PAGES + 5)]
    )
    found = zencoder.find_by_key(KEY, JobRequest("https://h/a.mov"), SINCE)
    assert (found.job, found.complete) == (None, False)
    assert len(wire.calls) == MAX_PAGES


def test_a_search_with_refused_credentials_is_an_error(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    wire.get(f"{BASE}/jobs", status=401)
    with pytest.raises(AuthRefused):
        zencoder.find_by_key(KEY, JobRequest("https://h/a.mov"), SINCE)


# The account and its webhooks


def test_usage_reports_no_personal_data(
    zencoder: Zencoder, wire: responses.RequestsMock, load: Load
) -> None:
    wire.get(f"{BASE}/account", json=load("zencoder/account.json"))
    usage = zencoder.usage()
    assert dict(usage.facts) == {
        "Account": "active",
        "Plan": "Launch",
        "Minutes used": "412",
        "Minutes included": "1000",
        "Billing": "active",
    }
    assert usage.is_test_mode is True
    zencoder.check_credentials()


def test_an_account_that_reports_nothing_is_no_fault(
    zencoder: Zencoder, wire: responses.RequestsMock
) -> None:
    wire.get(f"{BASE}/account", json={"plan": None})
    assert zencoder.usage().facts == ()
    assert zencoder.usage().is_test_mode is None


def test_notifications_of_jobs_and_outputs_point_to_the_job(load: Load) -> None:
    for name, phrase in (("job", "job finished"), ("output", "output 8123456790 finished")):
        body = json.dumps(load(f"zencoder/notification_{name}.json")).encode()
        event = Zencoder.read_webhook({}, body, "")
        assert (event.remote_id, event.description) == ("734500123457", phrase)


def test_the_header_that_people_are_shown_is_the_one_that_is_read(load: Load) -> None:
    body = json.dumps(load("zencoder/notification_job.json")).encode()
    headers = {"x-zencoder-notification-secret": "canary-webhook"}
    assert str(Zencoder.webhook_secret_header).lower() in headers
    assert Zencoder.read_webhook(headers, body, "canary-webhook").remote_id == "734500123457"


@pytest.mark.parametrize("body", [{}, {"job": None}, {"job": {"id": {}}}, {"output": []}])
def test_a_notification_of_something_else_names_no_job(body: Any) -> None:
    assert Zencoder.read_webhook({}, json.dumps(body).encode(), "").remote_id is None
