"""Chunked bodies, and bodies that are slow, too large or cut off, at a real Gunicorn."""

import io
import json
import socket
import time
from collections.abc import Iterator

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory
from django.urls import reverse

from dashboard.web import bodies
from jobs.models import Job, ProviderAccount, WebhookDelivery
from organizations.models import ApiToken, Scope
from tests.dashboard.web.conftest import RawClient
from tests.factories import make_organization
from tests.jobs.factories import make_account
from tests.waiting import PATIENCE_S

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.any_database]

CHUNKED = "Transfer-Encoding: chunked"
SUBMISSION = json.dumps(
    {
        "account": "main",
        "input": "https://media.example.com/in.mov",
        "renditions": [{"packaging": "mp4", "heights": [360]}],
    }
).encode()


@pytest.fixture
def account() -> ProviderAccount:
    return make_account(make_organization("north"), name="main")


@pytest.fixture
def submit(account: ProviderAccount) -> str:
    token = ApiToken.issue(account.organization, "script", Scope.OPERATE)[1]
    return f"/api/v1/jobs HTTP/1.1\r\nAuthorization: Bearer {token}"


@pytest.fixture
def deliver(account: ProviderAccount) -> str:
    arguments = [account.provider, account.pk, account.hook_secret]
    return f"{reverse('jobs:webhook', args=arguments)} HTTP/1.1"


def head(call: str, framing: str = CHUNKED) -> bytes:
    lines = (f"POST {call}", "Host: localhost", "Content-Type: application/json", framing)
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def chunks(data: bytes, size: int = 7) -> bytes:
    pieces = (data[start : start + size] for start in range(0, len(data), size))
    return b"".join(map(chunk, pieces)) + chunk(b"")


def trickle(*pieces: bytes, then: bytes) -> Iterator[bytes]:
    """The pieces, then the last one again and again until the other side has had enough."""
    yield from pieces
    ends_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_at:
        yield then
        time.sleep(0.05)


def test_a_chunked_submission_is_read_like_any_other(raw: RawClient, submit: str) -> None:
    with raw.connect() as connected:
        connected.sendall(head(submit) + chunks(SUBMISSION))
        response = raw.read(connected)
        assert response.status == 201
        assert response.json["id"] == str(Job.objects.get().pk)
        # and what follows on the connection is a request of its own
        connected.sendall(head(submit) + chunks(SUBMISSION, 4096))
        assert raw.read(connected).status == 409


def test_a_chunked_delivery_is_stored(raw: RawClient, deliver: str) -> None:
    body = b'{"job": {"id": 71, "state": "finished"}}'
    assert raw.exchange(head(deliver) + chunks(body)).status == 200
    assert WebhookDelivery.objects.get().remote_id == "71"


@pytest.mark.parametrize("framing", [CHUNKED, "Content-Length: 4000000"])
def test_a_body_that_is_too_large_is_refused(raw: RawClient, submit: str, framing: str) -> None:
    body = b"[" * 4_000_000
    sent = chunks(body, 50_000) if framing == CHUNKED else body
    response = raw.exchange(head(submit, framing) + sent)
    assert (response.status, response.json["error"]["code"]) == (413, "too_large")


def test_a_form_with_a_file_that_is_too_large_is_refused_and_not_cut() -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    environ = RequestFactory().generic("POST", "/accounts/login/").environ | {
        "CONTENT_TYPE": "multipart/form-data; boundary=x",
        "CONTENT_LENGTH": "4000000",
        "HTTP_COOKIE": f"csrftoken={'a' * 32}",
        "wsgi.input": io.BytesIO(part.ljust(4_000_000, b"u")),
    }
    statuses: list[str] = []
    with socket.socket() as connection:
        environ["gunicorn.socket"] = connection
        answer = bodies.read_bodies(WSGIHandler())(environ, lambda *head: statuses.append(head[0]))
    assert statuses == ["413 Request Entity Too Large"]
    assert b"A form may have 2.5 MB" in b"".join(answer)


def test_a_chunked_delivery_that_is_too_large_is_refused(raw: RawClient, deliver: str) -> None:
    assert raw.exchange(head(deliver) + chunks(b"x" * 1_500_000, 50_000)).status == 413
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize(
    ("framing", "then"), [(CHUNKED, chunk(b" ")), (CHUNKED, b"0"), ("Content-Length: 5000", b" ")]
)
def test_a_slow_body_is_not_waited_for(
    raw: RawClient, submit: str, framing: str, then: bytes
) -> None:
    with raw.connect() as connected:
        connected.settimeout(0.05)
        for piece in trickle(head(submit, framing), then=then):
            try:
                connected.sendall(piece)
                answered = connected.recv(1, socket.MSG_PEEK)
            except TimeoutError:
                continue
            assert answered
            break
        connected.settimeout(PATIENCE_S)
        response = raw.read(connected)
    assert (response.status, response.json["error"]["code"]) == (408, "unfinished_body")
    assert not Job.objects.exists()


def test_a_slow_delivery_is_not_waited_for(raw: RawClient, deliver: str) -> None:
    assert raw.exchange(head(deliver) + b"9\r\n").status == 400
    assert not WebhookDelivery.objects.exists()


@pytest.mark.parametrize("framing", [CHUNKED, "Content-Length: 5000"])
def test_a_body_that_ends_early_is_not_used(raw: RawClient, submit: str, framing: str) -> None:
    with raw.connect() as connected:
        sent = chunk(SUBMISSION) if framing == CHUNKED else SUBMISSION
        connected.sendall(head(submit, framing) + sent)
        connected.shutdown(socket.SHUT_WR)
        response = raw.read(connected)
    assert (response.status, response.json["error"]["code"]) == (400, "unfinished_body")
    assert not Job.objects.exists()


def test_a_body_has_ten_seconds() -> None:
    assert bodies.DEADLINE_S == 10
