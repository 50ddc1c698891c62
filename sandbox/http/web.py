"""One request, one response, and the socket between them."""

import json
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

logger = logging.getLogger("sandbox.web")

MAX_API_BODY_BYTES = 1_000_000
CHUNK_BYTES = 64 * 1024


class Ending(Enum):
    """What happens to the connection once the response is due."""

    NORMAL = "normal"
    DROP = "drop"  # closed without a byte
    STALL = "stall"  # half of the body is sent, the rest never comes


class Refused(Exception):
    """Ends the handling of a request with this response."""

    def __init__(self, response: "Response") -> None:
        super().__init__(response.status)
        self.response = response


@dataclass(frozen=True, slots=True)
class Slice:
    """Part of a file to be sent."""

    path: Path
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class Response:
    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    file: Slice | None = None
    ending: Ending = Ending.NORMAL

    def with_headers(self, headers: Mapping[str, str]) -> "Response":
        return replace(self, headers={**self.headers, **headers})


def json_response(status: int, value: Any) -> Response:
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, body, {"Content-Type": "application/json; charset=utf-8"})


def html_response(status: int, text: str) -> Response:
    return Response(status, text.encode(), {"Content-Type": "text/html; charset=utf-8"})


def text_response(status: int, text: str) -> Response:
    return Response(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})


@dataclass(slots=True)
class Request:
    """`path` is decoded and has no query; header names are in lower case. `query` has the last
    value of each name, `queries` all of them."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    stream: BufferedIOBase
    length: int
    unread: int
    queries: Mapping[str, list[str]] = field(default_factory=dict)
    _body: bytes | None = None

    @property
    def origin(self) -> str:
        """Where the client found us, as `http://host:port`."""
        return f"http://{self.headers.get('host', '')}"

    @property
    def body(self) -> bytes:
        """The whole body; refused with 413 when it is larger than an API call may be."""
        if self._body is None:
            if self.length > MAX_API_BODY_BYTES:
                raise Refused(text_response(413, "The body is too large.\n"))
            self._body = self.read(self.length)
        return self._body

    def read(self, size: int) -> bytes:
        data = self.stream.read(min(size, self.unread))
        self.unread -= len(data)
        return data

    def readline(self) -> bytes:
        line = self.stream.readline(min(CHUNK_BYTES, self.unread))
        self.unread -= len(line)
        return line


class Server(ThreadingHTTPServer):
    """`stopping` wakes everything that waits inside a request."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(
        self,
        address: tuple[str, int],
        respond: Callable[[Request], Response],
        stopping: threading.Event,
    ) -> None:
        self.respond = respond
        self.stopping = stopping
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is nothing to report."""
        logger.debug("connection of %s ended", client_address, exc_info=True)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 65  # idle keep-alive connections
    disable_nagle_algorithm = True
    server: Server

    def _serve(self) -> None:
        try:
            request = self._read_request()
        except ValueError:
            self.close_connection = True
            self._send(text_response(400, "The request can't be read.\n"))
            return
        try:
            response = self.server.respond(request)
        except Refused as refusal:
            response = refusal.response
        except (ConnectionError, TimeoutError):
            raise  # the client is gone
        except Exception:
            logger.exception("%s %s", request.method, request.path)
            response = text_response(500, "The sandbox failed; see its log.\n")
        if request.unread:
            self._discard_body(request)
        self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _serve

    def _read_request(self) -> Request:
        """All but the body. Raises ValueError."""
        url = urlsplit(self.path)
        length = max(0, int(self.headers.get("Content-Length") or 0))
        return Request(
            method=self.command,
            path=unquote(url.path),
            query=dict(parse_qsl(url.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            stream=self.rfile,
            length=length,
            unread=length,
            queries=parse_qs(url.query, keep_blank_values=True),
        )

    def _discard_body(self, request: Request) -> None:
        """Read a small rest so that the connection can be kept; leave a large one unread."""
        if request.unread <= MAX_API_BODY_BYTES:
            request.read(request.unread)
        else:
            self.close_connection = True

    def _send(self, response: Response) -> None:
        if response.ending is Ending.DROP:
            self.close_connection = True
            return
        length = response.file.length if response.file else len(response.body)
        # HTTP allows neither a body nor its length here
        sized = {} if response.status == 204 else {"Content-Length": str(length)}
        self.send_response(response.status)
        for name, value in {**sized, **response.headers}.items():
            self.send_header(name, value)
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command == "HEAD":
            return
        if response.ending is Ending.STALL:
            self.wfile.write(response.body[: length // 2])
            self.server.stopping.wait(600)
            self.close_connection = True
        elif response.file:
            self._send_file(response.file)
        else:
            self.wfile.write(response.body)

    def _send_file(self, part: Slice) -> None:
        with part.path.open("rb") as source:
            source.seek(part.start)
            left = part.length
            while left and (chunk := source.read(min(CHUNK_BYTES, left))):
                self.wfile.write(chunk)
                left -= len(chunk)

    def version_string(self) -> str:
        return "sandbox"

    def send_response(self, code: int, message: str | None = None) -> None:
        """As the base class, without its own Server header: providers send theirs."""
        self.send_response_only(code, message)
        self.send_header("Date", self.date_time_string())

    def log_message(self, format: str, *args: Any) -> None:
        logger.debug(format, *args)
