"""Gunicorn's threaded worker, which refuses in JSON what never becomes a request."""

import json
import socket
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from gunicorn.http.errors import (
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    LimitRequestLine,
    ParseException,
)
from gunicorn.workers.gthread import ThreadWorker

from dashboard.web.headers import new_request_id

OF_OURS = (InvalidResponseHeader, InvalidResponseHeaderName)
LINGER_S = 2.0
LINGER_BYTES = 1_000_000


class Worker(ThreadWorker):
    def handle_error(self, req: Any, client: socket.socket, addr: Any, exc: Exception) -> None:
        """Called with whatever handling a connection raised."""
        if not isinstance(exc, ParseException) or isinstance(exc, OF_OURS):
            super().handle_error(req, client, addr, exc)
            return
        self.log.warning("Not a valid request from %s: %s", (addr or ("",))[0], exc)
        with suppress(OSError):
            client.settimeout(LINGER_S)
            client.sendall(_response(*_explain(exc)))
            _let_go(client)


def _explain(exc: Exception) -> tuple[HTTPStatus, str, str]:
    """Status, code and message."""
    match exc:
        case LimitRequestLine():
            return HTTPStatus.REQUEST_URI_TOO_LONG, "url_too_long", "The URL is too long."
        case LimitRequestHeaders():
            status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            return status, "headers_too_large", "The headers are too large."
    return HTTPStatus.BAD_REQUEST, "bad_request", "This is not a valid HTTP request."


def _response(status: HTTPStatus, code: str, message: str) -> bytes:
    body = json.dumps({"error": {"code": code, "message": message}}).encode()
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}",
        "Connection: close",
        "Content-Type: application/json; charset=utf-8",
        f"Content-Length: {len(body)}",
        f"X-Request-Id: {new_request_id()}",
    )
    return "\r\n".join((*head, "", "")).encode() + body


def _let_go(client: socket.socket) -> None:
    """Read what is still being sent: an early close would reach the client before the response."""
    client.shutdown(socket.SHUT_WR)
    ends_at, received = time.monotonic() + LINGER_S, 0
    while time.monotonic() < ends_at and received < LINGER_BYTES:
        data = client.recv(65_536)
        if not data:
            return
        received += len(data)
