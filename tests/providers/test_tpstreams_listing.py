"""How TPStreams' list is followed, and what its answers about URLs mean."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
import responses
from responses import matchers

from providers.core.contract import Account
from providers.core.errors import AuthRefused, BadAnswer, NotFound
from providers.core.status import JobStatus
from providers.core.types import JobRequest, Rendition
from providers.http.client import HttpClient
from providers.tpstreams.adapter import TPStreams

BASE = "https://tpstreams.example.com/api/v1"
JOBS = f"{BASE}/6dnpyx/transcoding_jobs/"

Load = Callable[[str], Any]


@pytest.fixture
def tpstreams(http: HttpClient) -> TPStreams:
    account = Account(BASE, {"token": "canary-token"}, {"organization_id": "6dnpyx"})
    return TPStreams(account, http)


def serve_page(wire: responses.RequestsMock, query: dict[str, str], body: Any) -> None:
    wire.get(JOBS, json=body, match=[matchers.query_param_matcher(query)])


def make_page(following: Any, *ids: str) -> dict[str, Any]:
    return {"count": 9, "next": following, "results": [{"id": each} for each in ids]}


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
    "url",
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
def test_the_token_is_not_taken_to_another_url(
    tpstreams: TPStreams, wire: responses.RequestsMock, url: Any
) -> None:
    wire.get(JOBS, json=make_page(url, "a"))
    with pytest.raises(BadAnswer, match="not at the account's base URL") as caught:
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


def test_the_list_is_asked_for_newest_first_whatever_the_cursor_says(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    serve_page(wire, {"page": "2", "ordering": "-created"}, make_page(None, "b"))
    assert next(tpstreams.list_jobs("ordering=created&page=2")).jobs[0].remote_id == "b"


def test_a_list_reports_jobs_in_part_and_details_the_whole(
    tpstreams: TPStreams, wire: responses.RequestsMock, load: Load
) -> None:
    """What the customer gave along is in the details alone, so they are read once as well."""
    wire.get(JOBS, json={"next": None, "results": [load("tpstreams/job_queued.json")]})
    wire.get(f"{JOBS}7hQwN2sKx0B/", json=load("tpstreams/job_queued.json"))
    assert next(tpstreams.list_jobs()).jobs[0].is_partial
    assert not tpstreams.get_job("7hQwN2sKx0B").is_partial


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
def test_a_list_of_another_shape_is_reported_as_such(
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
    for kind, body in (
        ("text/plain", text),
        ("text/plain", text.upper()),
        ("text/html", f"<h1>Not Found</h1><p>{text}</p>"),
    ):
        wire.upsert("GET", f"{JOBS}abc/", body=body, status=404, content_type=kind)
        with pytest.raises(AuthRefused, match="organization id"):
            tpstreams.get_job("abc")


def test_a_body_with_a_trailing_comma_is_no_json(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    wire.get(f"{JOBS}abc/", body='{"id": "abc", }', content_type="application/json")
    with pytest.raises(BadAnswer):
        tpstreams.get_job("abc")


@pytest.mark.parametrize("body", [{}, {"id": None}, {"detail": "Queued"}, [], [{"id": "abc"}]])
def test_details_without_a_job_are_reported_as_such(
    tpstreams: TPStreams, wire: responses.RequestsMock, body: Any
) -> None:
    wire.get(f"{JOBS}abc/", json=body)
    with pytest.raises(BadAnswer, match="contains no job"):
        tpstreams.get_job("abc")


def test_a_base_url_may_end_with_a_slash(http: HttpClient, wire: responses.RequestsMock) -> None:
    account = Account(f"{BASE}/", {"token": "canary-token"}, {"organization_id": "6dnpyx"})
    wire.get(JOBS, json=make_page(f"{JOBS}?page=2", "a"))
    assert next(TPStreams(account, http).list_jobs()).cursor == "page=2"


def test_every_url_ends_with_a_slash_and_is_quoted(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    wire.get(f"{JOBS}a%2Fb%3Fc/", json={"id": "a/b?c"})
    assert tpstreams.get_job("a/b?c").remote_id == "a/b?c"


def test_a_next_page_that_cannot_be_kept_is_not_followed(
    tpstreams: TPStreams, wire: responses.RequestsMock
) -> None:
    """Where an import goes on is stored: a query that is longer than its column is none."""
    wire.get(JOBS, json=make_page(f"{JOBS}?cursor={'x' * 500}", "a"))
    with pytest.raises(BadAnswer, match="too long"):
        next(tpstreams.list_jobs())


# Manners


def test_each_call_is_counted_by_its_kind_and_asked_for_seldom(
    wire: responses.RequestsMock,
) -> None:
    reserved: list[str] = []
    with HttpClient(allow_private_addresses=False, reserve=reserved.append) as http:
        account = Account(BASE, {"token": "canary-token"}, {"organization_id": "6dnpyx"})
        adapter = TPStreams(account, http)
        wire.get(JOBS, json=make_page(None, "abc"))
        wire.post(JOBS, json={"id": "abc"}, status=201)
        wire.get(f"{JOBS}abc/", json={"id": "abc"})
        wire.delete(f"{JOBS}abc/", json={"message": "Job cancelled successfully."})
        next(adapter.list_jobs())
        adapter.get_job("abc")
        request = JobRequest("https://h/a.mov", "s3://reels/", (Rendition("hls", (240,)),))
        adapter.submit(request, "k" * 32)
        adapter.cancel("abc")
    assert reserved == ["list", "details", "submit", "cancel"]
    assert TPStreams.read_buckets == ("details",)
    assert {limit.bucket for limit in TPStreams.rate_limits} == set(reserved)
    assert TPStreams.min_poll_interval_s >= 5
