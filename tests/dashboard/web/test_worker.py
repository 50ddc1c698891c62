"""Requests that never reach Django, or reach it without a database, are refused in JSON as well."""

from pathlib import Path

import pytest

from tests.dashboard.web.conftest import RawClient, serve

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

HOST = b"Host: localhost\r\n"


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        (b"GET /api/v1/jobs?q=%s HTTP/1.1\r\n" % (b"x" * 9_000) + HOST, 414, "url_too_long"),
        (b"GET /%s HTTP/1.1\r\n" % (b"x" * 900_000) + HOST, 414, "url_too_long"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"A: %s\r\n" % (b"x" * 9_000), 431, "headers_too_large"),
        (b"GET / HTTP/1.1\r\n" + HOST + b"A: b\r\n" * 200, 431, "headers_too_large"),
        (b"GET / HTTP/9.9\r\n" + HOST, 400, "bad_request"),
        (
            b"POST /api/v1/jobs HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + HOST + b"\r\nzz",
            *(400, "bad_request"),
        ),
    ],
)
def test_what_gunicorn_refuses_is_refused_in_json(
    raw: RawClient, sent: bytes, status: int, code: str
) -> None:
    response = raw.exchange(sent + b"\r\n\r\n")
    assert (response.status, response.json["error"]["code"]) == (status, code)
    assert response.json["error"]["message"].endswith(".")
    assert len(response.headers["X-Request-Id"]) == 32
    # and the worker continues
    assert raw.exchange(b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n").status == 200


def test_without_a_database_the_api_says_when_to_try_again(tmp_path: Path) -> None:
    with serve(tmp_path, DATABASE_URL="postgres://nobody@127.0.0.1:1/none") as port:
        call = b"GET /api/v1/jobs HTTP/1.1\r\nAuthorization: Bearer rb_any\r\n" + HOST
        response = RawClient(port).exchange(call + b"\r\n")
    assert (response.status, response.json["error"]["code"]) == (503, "unavailable")
    assert response.headers["Retry-After"] == "5"
    assert "X-RateLimit-Limit" in response.headers
