"""The HTTP client against a real socket: bounds, addresses, and what each failure becomes."""

import gzip
import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress

import pytest

from providers.core.errors import (
    AddressRefused,
    BadAnswer,
    BudgetExhausted,
    ProviderError,
    Rejected,
    TimedOut,
    Unreachable,
)
from providers.http.bodies import MAX_BYTES
from providers.http.client import HttpClient
from providers.http.connections import is_public

Handler = Callable[[socket.socket], None]


class Server:
    """Hands each connection to `handler`, and counts connections and requests."""

    def __init__(self, handler: Handler, tls: ssl.SSLContext | None = None) -> None:
        self.connections = 0
        self.heads: list[bytes] = []
        self._handler = handler
        self._tls = tls
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=[connection], daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            if self._tls:
                connection = self._tls.wrap_socket(connection, server_side=True)
            with connection:
                while head := self._read_request(connection):
                    self.heads.append(head)
                    self._handler(connection)
        except OSError:
            return  # the client went away, which several tests are about

    @staticmethod
    def _read_request(connection: socket.socket) -> bytes:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(4096)
            if not piece:
                return b""
            head += piece
        return head

    def close(self) -> None:
        self._socket.close()


@contextmanager
def serve(handler: Handler, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    server = Server(handler, tls)
    try:
        yield server
    finally:
        server.close()


def answer(
    body: bytes = b"{}", head: str = "200 OK", kind: str = "application/json", more: str = ""
) -> Handler:
    def write(connection: socket.socket) -> None:
        connection.sendall(
            f"HTTP/1.1 {head}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            f"{more}\r\n".encode()
            + body
        )

    return write


@pytest.fixture
def client() -> Iterator[HttpClient]:
    with HttpClient(allow_private_addresses=True, secrets=["canary-key"]) as client:
        yield client


def test_an_answer_is_read_and_counted(client: HttpClient) -> None:
    with serve(answer(b'{"a": [1]}', more="X-Left: 59\r\n")) as server:
        got = client.send("POST", f"{server.url}/x", params={"page": 2}, json={"b": 1})
    assert (got.status, got.data, got.headers["x-left"]) == (200, {"a": [1]}, "59")
    assert client.requests == 1
    assert client.latency_ms is not None
    assert server.heads[0].startswith(b"POST /x?page=2 HTTP/1.1")


def test_a_204_with_a_blank_body_has_no_data(client: HttpClient) -> None:
    with serve(answer(b" ", head="204 No Content")) as server:
        assert client.send("PUT", server.url).data is None
    with serve(answer(b" ")) as server:
        assert client.send("GET", server.url).data is None


def test_the_space_after_a_204_does_not_spoil_the_next_answer(client: HttpClient) -> None:
    """Zencoder's 204 announces a body of one byte, which may arrive late."""

    def write(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\n")
        time.sleep(0.02)
        connection.sendall(b" ")

    with serve(write) as server:
        for _ in range(5):
            assert client.send("PUT", server.url).status == 204


def test_a_connection_is_used_again_and_by_several_threads(client: HttpClient) -> None:
    with serve(answer()) as server:
        for _ in range(5):
            client.send("GET", server.url)
        assert server.connections == 1
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda _: client.send("GET", server.url), range(80)))
        assert client.requests == 85
        assert server.connections <= 8


def test_no_cookie_is_kept_and_no_redirect_followed(client: HttpClient) -> None:
    with serve(answer(more="Set-Cookie: session=abc; Path=/\r\n")) as server:
        client.send("GET", server.url)
        client.send("GET", server.url)
        assert b"cookie" not in server.heads[1].lower()
    with serve(answer(b"", head="302 Found", more="Location: /elsewhere\r\n")) as server:
        with pytest.raises(BadAnswer, match="base URL") as caught:
            client.send("GET", server.url)
        assert len(server.heads) == 1
    assert not caught.value.transient
    assert not caught.value.ambiguous


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<html>canary-key</html>", "text/html"),
        (b'{"a": 1}', "text/plain"),
        (b"{", "application/json"),
        (b"\xff\xfe", "application/json"),
        (b"[" * 50_000, "application/json"),
    ],
)
def test_a_success_that_is_no_json_is_a_bad_answer(
    client: HttpClient, body: bytes, kind: str
) -> None:
    with serve(answer(body, kind=kind)) as server, pytest.raises(BadAnswer) as caught:
        client.send("POST", server.url)
    assert caught.value.ambiguous
    assert "canary" not in str(caught.value)


def test_a_body_that_is_too_large_is_not_read_to_its_end(client: HttpClient) -> None:
    def flood(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        while True:
            connection.sendall(b"1" * 65_536)

    with serve(flood) as server, pytest.raises(BadAnswer, match="larger than"):
        client.send("GET", server.url)


def test_a_small_body_that_unpacks_to_a_huge_one_is_stopped(client: HttpClient) -> None:
    bomb = gzip.compress(b" " * (MAX_BYTES + 1))
    for body, phrase in ((bomb, "larger than"), (b"no gzip", "compressed")):
        handler = answer(body, more="Content-Encoding: gzip\r\n")
        with serve(handler) as server, pytest.raises(BadAnswer, match=phrase):
            client.send("GET", server.url)


def drip(start: bytes) -> Handler:
    def write(connection: socket.socket) -> None:
        connection.sendall(start)
        while True:
            time.sleep(0.05)
            connection.sendall(b"x")

    return write


@pytest.mark.parametrize(
    "start",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nX-Slow: ",
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n",
    ],
    ids=["status line", "headers", "body"],
)
def test_an_answer_that_drips_ends_at_the_deadline(start: bytes) -> None:
    with (
        serve(drip(start)) as server,
        HttpClient(allow_private_addresses=True, deadline_s=0.4) as client,
    ):
        started = time.monotonic()
        with pytest.raises(TimedOut) as caught:
            client.send("POST", server.url)
        assert time.monotonic() - started < 30  # the server never ends its answer
        assert caught.value.ambiguous
        with pytest.raises(TimedOut) as caught:
            client.send("POST", server.url)
    assert not caught.value.ambiguous  # nothing was sent any more
    assert client.requests == 1


def test_a_silent_server_is_timed_out() -> None:
    with (
        serve(lambda _: time.sleep(5)) as server,
        HttpClient(allow_private_addresses=True, deadline_s=0.3) as client,
        pytest.raises(TimedOut) as caught,
    ):
        client.send("POST", server.url)
    assert caught.value.ambiguous
    assert caught.value.transient


def hang_up(connection: socket.socket) -> None:
    connection.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize(
    ("handler", "shown"),
    [
        (answer(), [True]),
        (answer(head="503 Service Unavailable"), [True]),
        (answer(b"<html>", kind="text/html"), [True]),
        (lambda connection: time.sleep(3), [False]),
        (drip(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"), [False]),
        (hang_up, [False]),
    ],
    ids=["success", "error", "web page", "silence", "dripping", "hang-up"],
)
def test_a_call_shows_whether_its_host_answers(handler: Handler, shown: list[bool]) -> None:
    seen: list[bool] = []
    with (
        serve(handler) as server,
        HttpClient(
            allow_private_addresses=True, first_answer_s=lambda: 0.5, on_end=seen.append
        ) as client,
        suppress(ProviderError),
    ):
        client.send("GET", server.url)
    assert seen == shown


def test_a_call_that_we_cut_short_or_never_made_shows_nothing_of_its_host() -> None:
    seen: list[bool] = []
    with serve(lambda connection: time.sleep(3)) as server:
        for deadline_s, private in ((0.3, True), (None, False)):
            with (
                HttpClient(
                    allow_private_addresses=private, deadline_s=deadline_s, on_end=seen.append
                ) as client,
                pytest.raises(ProviderError),
            ):
                client.send("GET", server.url)
    assert seen == []


def test_no_connection_is_not_ambiguous_and_a_lost_one_is(client: HttpClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"http://127.0.0.1:{closed.getsockname()[1]}/?token=canary"
    with pytest.raises(Unreachable) as caught:
        client.send("POST", url)
    assert not caught.value.ambiguous
    with (
        serve(lambda connection: connection.close()) as server,
        pytest.raises(Unreachable) as caught,
    ):
        client.send("POST", server.url)
    assert caught.value.ambiguous


def test_an_error_carries_neither_address_secrets_nor_its_cause(client: HttpClient) -> None:
    with pytest.raises(Unreachable) as caught:
        client.send("GET", "http://me:canary@127.0.0.1:9/x?token=canary")
    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    handler = answer(b'{"errors": ["canary-key is bad"]}', head="422 No")
    with serve(handler) as server, pytest.raises(Rejected) as refused:
        client.send("POST", server.url)
    assert "canary" not in str(refused.value)
    assert "canary" not in str(refused.value.messages)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "app.example.com/x",
        "ftp://h/x",
        "http://",
        "http://h:port/",
        "http://[::1/",
        "http://\u2100/",
    ],
)
def test_a_url_that_cannot_be_sent_to_is_refused_with_a_clear_message(
    client: HttpClient, url: str
) -> None:
    with pytest.raises(ProviderError) as caught:
        client.send("GET", url)
    assert not caught.value.ambiguous


@pytest.mark.parametrize("value", ["canary\r\nX: 1", "canary\u2713"])
def test_a_credential_that_is_no_header_is_refused_without_being_repeated(
    client: HttpClient, value: str
) -> None:
    with serve(answer()) as server, pytest.raises(Rejected) as caught:
        client.send("GET", server.url, headers={"X-Key": value})
    assert "canary" not in str(caught.value)
    assert server.heads == []


def test_a_body_that_is_no_json_is_refused(client: HttpClient) -> None:
    with serve(answer()) as server, pytest.raises(Rejected):
        client.send("POST", server.url, json={"a": float("nan")})


def test_the_budget_is_asked_for_before_each_send() -> None:
    asked: list[str] = []

    def reserve(bucket: str) -> None:
        asked.append(bucket)
        if len(asked) > 1:
            raise BudgetExhausted("The account's own limit is reached.", wait_s=12)

    with (
        serve(answer()) as server,
        HttpClient(allow_private_addresses=True, reserve=reserve) as client,
    ):
        client.send("GET", server.url, bucket="list")
        with pytest.raises(BudgetExhausted) as caught:
            client.send("GET", server.url, bucket="details")
        assert len(server.heads) == 1
    assert asked == ["list", "details"]
    assert caught.value.wait_s == 12
    assert caught.value.transient


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433"])
def test_a_private_address_is_refused_before_a_connection_is_made(host: str) -> None:
    with serve(answer()) as server, HttpClient(allow_private_addresses=False) as client:
        with pytest.raises(AddressRefused):
            client.send("GET", f"http://{host}:{server.port}/")
        time.sleep(0.05)
        assert server.connections == 0


def test_the_address_that_was_checked_is_the_one_connected_to(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name that is public at the first lookup and private at the second (DNS rebinding)."""
    answers = iter(["8.8.8.8", "127.0.0.1"])
    connected: list[str] = []

    def resolve(host: str, port: int, *args: object, **kwargs: object) -> list[object]:
        address = host if host[0].isdigit() else next(answers)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]

    def connect(address: tuple[str, int], *args: object, **kwargs: object) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with HttpClient(allow_private_addresses=False) as client, pytest.raises(Unreachable):
        client.send("GET", "http://rebinding.example.com/")
    assert connected == ["8.8.8.8"]


def test_a_name_with_one_private_address_among_public_ones_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, 80))
        for address in ("8.8.8.8", "10.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: found)
    with HttpClient(allow_private_addresses=False) as client, pytest.raises(AddressRefused):
        client.send("GET", "http://mixed.example.com/")


def test_an_answer_that_is_cut_off_is_a_lost_connection(client: HttpClient) -> None:
    def cut(connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 90\r\n\r\n{}"
        )
        connection.shutdown(socket.SHUT_RDWR)

    with serve(cut) as server, pytest.raises(Unreachable) as caught:
        client.send("POST", server.url)
    assert caught.value.ambiguous


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("::ffff:8.8.8.8", True),
        ("127.0.0.1", False), ("10.0.0.1", False), ("192.168.1.1", False), ("172.16.0.1", False),
        ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.1", False),
        ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False), ("::", False),
        ("fe80::1%eth0", False), ("fc00::1", False), ("ff0e::1", False),
        ("::ffff:10.0.0.1", False), ("2002:7f00:1::", False), ("64:ff9b::a00:1", False),
        ("::127.0.0.1", False), ("::8.8.8.8", False), ("::ffff:0:127.0.0.1", False),
        ("64:ff9b:1::7f00:1", False), ("fec0::1", False), ("64:ff9b::808:808", True),
    ],
)  # fmt: skip
def test_public_addresses(address: str, expected: bool) -> None:
    assert is_public(address) is expected


def test_a_json_answer_survives_a_byte_order_mark(client: HttpClient) -> None:
    with serve(answer(b"\xef\xbb\xbf" + json.dumps({"a": 1}).encode())) as server:
        assert client.send("GET", server.url).data == {"a": 1}
