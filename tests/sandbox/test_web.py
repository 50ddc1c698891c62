"""The socket side of the server: what a client gets when something is wrong."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import requests

from sandbox.http.web import Request, Response, Server, text_response

Serve = Callable[[Callable[[Request], Response]], int]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Answer by a function; returns the port."""
    running: list[tuple[Server, threading.Thread]] = []

    def begin(respond: Callable[[Request], Response]) -> int:
        server = Server(("127.0.0.1", 0), respond, threading.Event())
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        running.append((server, thread))
        return int(server.server_address[1])

    yield begin
    for server, thread in running:
        server.shutdown()
        server.server_close()
        thread.join()


def test_a_mistake_of_ours_is_an_answer_and_a_trace_in_the_log(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    def respond(request: Request) -> Response:
        raise LookupError("nobody thought of this")

    port = serve(respond)
    with requests.Session() as session:
        answers = [session.post(f"http://127.0.0.1:{port}/x", data=b"abc") for _ in range(2)]

    assert [answer.status_code for answer in answers] == [500, 500]
    assert "nobody thought of this" not in answers[0].text
    assert "LookupError: nobody thought of this" in caplog.text
    assert "POST /x" in caplog.text


@pytest.mark.parametrize(
    "head",
    ["GET http://[x/ HTTP/1.1\r\n", "GET / HTTP/1.1\r\nContent-Length: many\r\n"],
)
def test_a_request_that_cannot_be_read_is_refused(serve: Serve, head: str) -> None:
    port = serve(lambda request: text_response(200, "fine"))
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(f"{head}Host: x\r\n\r\n".encode())
        with connection.makefile("rb") as answer:
            assert answer.readline().startswith(b"HTTP/1.1 400 ")
