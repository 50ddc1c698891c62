"""Bodies of requests, read before Django sees them, within a size and a time.

Django reads as much as Content-Length says, so a chunked body, which has none, would be empty to
it. And it waits without end for the rest of a body: a few slow clients would hold all threads.
"""

import io
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, NoReturn

from django.conf import settings
from django.core.exceptions import RequestDataTooBig

Environ = dict[str, Any]
Application = Callable[[Environ, Any], Iterable[bytes]]

DEADLINE_S = 10.0
# Small, because Gunicorn waits until it has a whole piece.
PIECE_BYTES = 16_384


class UnreadableBody(io.RawIOBase):
    """A body that has not arrived: Django makes an UnreadablePostError of an OSError.

    And one that is too large: Django looks at the length of a form only when it has no file.
    """

    def __init__(self, error: OSError | RequestDataTooBig) -> None:
        self.error = error

    def read(self, size: int = -1) -> NoReturn:
        raise self.error


def read_bodies(application: Application, deadline_s: float = DEADLINE_S) -> Application:
    """A WSGI application that calls `application` when the whole body has been read.

    `wsgi.input` is then in memory, and CONTENT_LENGTH its length. If it is larger than
    DATA_UPLOAD_MAX_MEMORY_SIZE, did not arrive in time, or ended early, reading it raises.
    """

    def handle(environ: Environ, start_response: Any) -> Iterable[bytes]:
        connection = environ.get("gunicorn.socket")
        is_chunked = "HTTP_TRANSFER_ENCODING" in environ
        if connection and (is_chunked or environ.get("CONTENT_LENGTH", "") not in ("", "0")):
            _replace_body(environ, connection, deadline_s)
        return application(environ, start_response)

    return handle


def _replace_body(environ: Environ, connection: socket.socket, deadline_s: float) -> None:
    declared = int(environ.get("CONTENT_LENGTH") or 0)
    try:
        body, size = _read(environ["wsgi.input"], connection, deadline_s)
        if size > settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            error = RequestDataTooBig("The body is too large.")
            environ["wsgi.input"] = UnreadableBody(error)
        elif size < declared:
            raise OSError("The body ended early.")
        else:
            environ["wsgi.input"] = io.BytesIO(body)
    except OSError as error:
        environ["wsgi.input"], size = UnreadableBody(error), 1
    environ["CONTENT_LENGTH"] = str(max(size, declared))


def _read(stream: BinaryIO, connection: socket.socket, deadline_s: float) -> tuple[bytes, int]:
    """The body and its size; of one that is too large, only the size is of use.

    It is read to its end: most clients look for an answer only when all is sent.
    Raises OSError; for a chunk that is malformed, whatever the server raises.
    """
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    kept, size = bytearray(), 0
    with _time_limit(connection, deadline_s) as is_over:
        try:
            while (piece := stream.read(PIECE_BYTES)) and not is_over.is_set():
                size += len(piece)
                if size <= limit:
                    kept += piece
        except Exception:
            if not is_over.is_set():
                raise
    if is_over.is_set() and size <= limit:
        raise TimeoutError("The body did not arrive in time.")
    return bytes(kept), size


@contextmanager
def _time_limit(connection: socket.socket, seconds: float) -> Iterator[threading.Event]:
    """End what reads from the connection after that long, and set the event before.

    A timeout of the socket is no help: it begins again with each byte.
    """
    is_over = threading.Event()

    def end() -> None:
        is_over.set()
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RD)

    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield is_over
    finally:
        timer.cancel()
