"""What a request leaves in the log, and how its page names it there."""

import json
from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path
from structlog.contextvars import get_contextvars

from organizations.models import Role
from tests.dashboard.test_logging import log_lines
from tests.factories import make_membership, make_organization

pytestmark = pytest.mark.django_db


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("out of order")


urlpatterns = [path("fail/", fail), path("", include("dashboard.urls"))]


def lines_of(client: Client, path: str, **headers: str) -> tuple[int, str, list[dict[str, Any]]]:
    with log_lines("json") as stream:
        response = client.get(path, headers={"X-Request-Id": "named-by-the-proxy", **headers})
    records = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert "request_id" not in get_contextvars()
    assert response["X-Request-Id"] == "named-by-the-proxy"
    assert {record["request_id"] for record in records} == {"named-by-the-proxy"}
    return response.status_code, response.content.decode(), records


@pytest.fixture
def viewer(client: Client) -> Client:
    client.force_login(make_membership(make_organization("harbour"), Role.VIEWER).user)
    client.raise_request_exception = False
    return client


@pytest.mark.parametrize(
    ("path", "status"),
    [("/o/harbour/accounts/new/", 403), ("/o/elsewhere/jobs/", 404), ("/nothing/", 404)],
)
def test_a_refusal_is_one_line_without_a_traceback(viewer: Client, path: str, status: int) -> None:
    found, page, records = lines_of(viewer, path)
    assert found == status
    assert len(records) == 1
    assert path in records[0]["event"]
    assert "exception" not in records[0]
    assert "named-by-the-proxy" in page


def test_a_bad_host_is_one_line_as_well(viewer: Client) -> None:
    status, _, records = lines_of(viewer, "/o/harbour/jobs/", host="evil.example")
    assert status == 400
    assert not any("exception" in record for record in records)


@override_settings(ROOT_URLCONF="tests.dashboard.test_request_logs")
def test_a_failure_keeps_its_traceback_and_its_page_names_the_request(viewer: Client) -> None:
    status, page, records = lines_of(viewer, "/fail/")
    assert status == 500
    assert any("RuntimeError: out of order" in record.get("exception", "") for record in records)
    assert "named-by-the-proxy" in page
