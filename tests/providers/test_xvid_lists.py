"""Xvid's lists, and what is asked for a single job."""

from collections.abc import Callable
from typing import Any

import pytest
import responses
from responses import matchers

from providers.core.errors import BadAnswer
from providers.core.status import JobStatus
from providers.http.client import HttpClient
from providers.xvid.adapter import OVERLAP, PAGE_SIZE, Xvid
from tests.providers.cases.xvid import BASE_URL as BASE
from tests.providers.cases.xvid import PAGING, READ, make_adapter, make_job, queries

Load = Callable[[str], Any]


@pytest.fixture
def xvid(http: HttpClient) -> Xvid:
    return make_adapter(http)


def ids(numbers: range) -> list[str]:
    return [f"{number:024x}" for number in numbers]


def serve_page(wire: responses.RequestsMock, start: int, items: list[Any], **envelope: Any) -> None:
    query = matchers.query_param_matcher(READ | PAGING | {"start": str(start)})
    wire.get(f"{BASE}/jobs/", json={"jobs": items, **envelope}, match=[query])


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


def test_credentials_are_checked_with_a_list_of_one(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    """Without a limit a thousand jobs would come."""
    wire.get(f"{BASE}/jobs/", json={"jobs": []})
    xvid.check_credentials()
    assert queries(wire) == [{"start": "0", "limit": "1"}]


def test_a_page_is_asked_for_when_it_is_needed_and_a_cursor_resumes(
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


def test_keys_without_quotes_are_not_read(xvid: Xvid, wire: responses.RequestsMock) -> None:
    """So the documents print answers; `human`, which they come of, is never sent."""
    body = '{jobs: [{id: "1", status: "SUCCESS"}]}'
    wire.get(f"{BASE}/jobs/", body=body, content_type="application/json")
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
