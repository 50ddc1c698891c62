"""A provider that answers as its own documents say, over a real socket.

It shares no line with the sandbox, whose idea of a provider may be wrong in the way that the
adapter's is.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

NOT_FOUND = (404, {"error": "There is no such URL."})

Answer = tuple[int, Any]


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked; header names are in lower case, `origin` is this server's URL."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str
    origin: str


@dataclass(frozen=True, slots=True)
class Documented:
    """One provider's documents: how it answers, and what the mirror must hold afterwards.

    `jobs` are columns by remote id, `outputs` by the remote ids of job and output, `presets` by
    remote id. `not_reported` names the columns that the documents do not mention, with
    the reason. `secret` is in every value that must not be found in the clear.
    """

    slug: str
    base_path: str
    credentials: Mapping[str, str]
    answer: Callable[[Request, bool], Answer]
    total: int
    later: int
    list_path: str
    jobs: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[tuple[str, str], Mapping[str, Any]]
    presets: Mapping[str, Mapping[str, Any]]
    not_reported: Mapping[str, str]
    outputs_not_reported: Mapping[str, str]
    secret: str
    options: Mapping[str, str] = field(default_factory=dict)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # a pass reads several jobs at a time
    request_queue_size = 64


@dataclass
class Running:
    """`is_later` brings the jobs that begin after the first pass; `instead` answers if set."""

    base_url: str
    asked: list[Request] = field(default_factory=list)
    is_later: bool = False
    instead: Callable[[Request], Answer] | None = None

    def pages_of(self, path: str) -> int:
        return sum(request.method == "GET" and request.path == path for request in self.asked)


@contextmanager
def serve(documented: Documented) -> Iterator[Running]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length") or 0)
            request = Request(
                self.command,
                parts.path,
                dict(parse_qsl(parts.query)),
                {name.lower(): value for name, value in self.headers.items()},
                self.rfile.read(length).decode(),
                f"http://127.0.0.1:{server.server_port}",
            )
            running.asked.append(request)
            status, value = (
                running.instead(request)
                if running.instead
                else documented.answer(request, running.is_later)
            )
            content = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = answer

        def log_message(self, format: str, *args: Any) -> None:
            """Stay quiet."""

    server = _Server(("127.0.0.1", 0), Handler)
    running = Running(f"http://127.0.0.1:{server.server_port}{documented.base_path}")
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
