"""Finding a submission at Xvid by the key in its user_data."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import responses

from providers.http.client import HttpClient
from providers.paging.key_search import MAX_PAGES, MIN_PAGES
from providers.xvid.adapter import PAGE_SIZE, Xvid
from tests.providers.cases.xvid import BASE_URL as BASE
from tests.providers.cases.xvid import PRESETS, make_adapter, make_job, queries, request_for

KEY = "0f8fad5bd9cb469fa16570867728950e"
SINCE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.fixture
def xvid(http: HttpClient) -> Xvid:
    return make_adapter(http)


def serve_pages(wire: responses.RequestsMock, **reported: Any) -> None:
    """Serve full pages without end."""

    def answer(request: Any) -> tuple[int, dict[str, str], str]:
        start = int(dict(parse_qsl(urlsplit(request.url).query))["start"])
        items = [make_job(10**6 - start - n, **reported) for n in range(PAGE_SIZE)]
        return 200, {}, json.dumps({"jobs": items})

    wire.add_callback("GET", f"{BASE}/jobs/", answer, content_type="application/json")


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


def test_no_job_of_that_user_data_is_a_complete_search(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    wire.get(f"{BASE}/jobs/", json={"jobs": [], "total": 0})
    found = xvid.find_by_key(KEY, request_for(*PRESETS), SINCE)
    assert (found.job, found.complete) == (None, True)


def test_user_data_too_long_for_a_url_is_searched_in_the_list(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    request = request_for(*PRESETS, metadata="x" * 5000)
    job = make_job(1, user_data=xvid.build_request(request, KEY)["user_data"])
    wire.get(f"{BASE}/jobs/", json={"jobs": [job]})
    assert xvid.find_by_key(KEY, request, SINCE).job
    assert "user_data" not in queries(wire)[0]


def test_a_search_over_a_list_that_is_not_filtered_ends_at_the_time_of_the_submission(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    serve_pages(wire, created_at=int((SINCE - timedelta(hours=1)).timestamp() * 1000))
    found = xvid.find_by_key(KEY, request_for(*PRESETS), SINCE)
    assert (found.job, found.complete) == (None, True)
    assert len(wire.calls) == MIN_PAGES


def test_a_search_that_is_cut_short_proves_nothing(
    xvid: Xvid, wire: responses.RequestsMock
) -> None:
    serve_pages(wire)
    found = xvid.find_by_key(KEY, request_for(*PRESETS), SINCE)
    assert (found.job, found.complete) == (None, False)
    assert len(wire.calls) == MAX_PAGES
    wire.reset()
    wire.get(f"{BASE}/jobs/", status=503)
    found = xvid.find_by_key(KEY, request_for(*PRESETS), SINCE)
    assert (found.job, found.complete) == (None, False)
