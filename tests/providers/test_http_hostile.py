"""Answers made to hold a worker, to fill its memory, or to raise what nobody catches."""

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from providers.core.errors import CODE_LENGTH, BadAnswer, TimedOut
from providers.http.client import HttpClient
from tests.providers.test_http import answer, serve
from tests.waiting import PATIENCE_S

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = HEAD + b"Content-Encoding: gzip\r\n\r\n\x1f\x8b\x08\x08\0\0\0\0\0\x03"
# Reading a body returns nothing for as long as one of these goes on.
FRAMING = [
    pytest.param(CHUNKED + b"2;", b"x", id="chunk size"),
    pytest.param(CHUNKED + b"2\r\n{}\r\n0\r\n", b"x: y\r\n", id="trailers"),
    pytest.param(GZIP, b"n", id="name in gzip"),
]


class Sender:
    """Sends `start`, then `piece` until the client has gone, or it has waited long enough."""

    def __init__(self, start: bytes, piece: bytes, pause_s: float = 0.05) -> None:
        self.was_left = threading.Event()
        self._start, self._piece, self._pause_s = start, piece, pause_s
        self._gave_up = threading.Event()

    def __call__(self, connection: socket.socket) -> None:
        timer = threading.Timer(PATIENCE_S, self._gave_up.set)
        timer.start()
        try:
            connection.sendall(self._start)
            while not self._gave_up.wait(self._pause_s):
                connection.sendall(self._piece)
        except OSError:
            self.was_left.set()
        finally:
            timer.cancel()


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with HttpClient(allow_private_addresses=True) as client:
        yield client


@pytest.fixture
def hurried() -> Iterator[HttpClient]:
    with HttpClient(allow_private_addresses=True, deadline_s=0.5) as client:
        yield client


@pytest.fixture
def tls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate that requests trusts."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "A test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    trusted, pem = tmp_path / "trusted.pem", serialization.Encoding.PEM
    trusted.write_bytes(certificate.public_bytes(pem))
    whole = tmp_path / "server.pem"
    whole.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(pem)
    )
    monkeypatch.setattr("requests.adapters.DEFAULT_CA_BUNDLE_PATH", str(trusted))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(whole)
    return context


@pytest.mark.parametrize(("start", "piece"), FRAMING)
def test_framing_that_never_ends_stops_at_the_deadline(
    hurried: HttpClient, start: bytes, piece: bytes
) -> None:
    sender = Sender(start, piece)
    with serve(sender) as server, pytest.raises(TimedOut) as caught:
        hurried.send("POST", server.url)
    assert caught.value.ambiguous
    assert sender.was_left.wait(PATIENCE_S)


def test_trailers_that_come_without_a_pause_stop_at_the_deadline(hurried: HttpClient) -> None:
    """Shutting the receiving side alone would go on reading them."""
    sender = Sender(CHUNKED + b"2\r\n{}\r\n0\r\n", b"x: y\r\n" * 1000, pause_s=0)
    with serve(sender) as server, pytest.raises(TimedOut):
        hurried.send("POST", server.url)
    assert sender.was_left.wait(PATIENCE_S)


@pytest.mark.parametrize(("start", "piece"), FRAMING)
def test_framing_under_tls_that_never_ends_stops_at_the_deadline(
    hurried: HttpClient, tls: ssl.SSLContext, start: bytes, piece: bytes
) -> None:
    sender = Sender(start, piece)
    with serve(sender, tls) as server, pytest.raises(TimedOut):
        hurried.send("POST", server.url)
    assert sender.was_left.wait(PATIENCE_S)


def test_a_body_under_tls_is_read(client: HttpClient, tls: ssl.SSLContext) -> None:
    with serve(answer(b"[1]"), tls) as server:
        assert client.send("GET", server.url).data == [1]
        assert client.send("GET", server.url).data == [1]
        assert server.connections == 1


def test_no_watch_outlives_its_answer(client: HttpClient) -> None:
    before = set(threading.enumerate())
    with serve(answer()) as server:
        client.send("GET", server.url)
    left = [
        thread
        for thread in threading.enumerate()
        if isinstance(thread, threading.Timer) and thread not in before
    ]
    for thread in left:
        thread.join(PATIENCE_S)
    assert not any(thread.is_alive() for thread in left)


@pytest.mark.parametrize(
    "location",
    [
        "/elsewhere",
        "http://[x",
        "//[",
        "http://a:b/",
        "http://a:99999999/",
        "\xff\xfe",
        "http:///x",
    ],
)
def test_where_a_redirect_leads_is_not_followed(client: HttpClient, location: str) -> None:
    start = b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + location.encode("latin-1")
    with (
        serve(lambda connection: connection.sendall(start + b"\r\n\r\n")) as server,
        pytest.raises(BadAnswer, match="redirect") as caught,
    ):
        client.send("GET", server.url)
    assert caught.value.code == "302"


def test_the_body_of_a_redirect_is_bounded_in_time(hurried: HttpClient) -> None:
    sender = Sender(b"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 9999\r\n\r\n", b"x")
    with serve(sender) as server, pytest.raises(TimedOut):
        hurried.send("GET", server.url)
    assert sender.was_left.wait(PATIENCE_S)


def test_the_body_of_a_redirect_is_bounded_in_size(client: HttpClient) -> None:
    start = b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n"
    sender = Sender(start, b" " * 1_000_000, pause_s=0)
    with serve(sender) as server, pytest.raises(BadAnswer, match="larger than"):
        client.send("GET", server.url)
    assert sender.was_left.wait(PATIENCE_S)


def test_a_long_content_type_makes_no_long_code(client: HttpClient) -> None:
    with serve(answer(b"hi", kind="x" * 60_000)) as server, pytest.raises(BadAnswer) as caught:
        client.send("GET", server.url)
    assert caught.value.code == "x" * CODE_LENGTH
