"""Reading the body of an answer: bounded in size and time."""

import threading
import time
from contextlib import suppress
from typing import Any

import requests

from providers.core.errors import BadAnswer, TimedOut
from providers.http.answers import read_json

# A page of 50 jobs with 20 outputs each is about 2 MB.
MAX_BYTES = 20_000_000
CHUNK_BYTES = 65_536

_NO_CONTENT = 204


class SizeLimit:
    """How much may be read yet: of one answer, or of several that are held at the same time."""

    def __init__(self, error: type[BadAnswer], whose: str, max_bytes: int | None = None) -> None:
        self._left = self._max_bytes = max_bytes or MAX_BYTES
        self._error = error
        self._whose = whose
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        with self._lock:
            self._left -= size
            if self._left >= 0:
                return
        raise self._error(
            f"The provider's {self._whose} larger than {self._max_bytes // 1_000_000} MB.",
            ambiguous=True,
        )

    def give_back(self, size: int) -> None:
        with self._lock:
            self._left += size


def _cut_off(response: requests.Response) -> None:
    with suppress(ValueError):  # it came over no socket, and cannot be cut
        response.raw.shutdown()


def read_body(response: requests.Response, ends_at: float, limit: SizeLimit) -> str:
    """Read piece by piece as they come, so that neither size nor slowness goes unnoticed."""
    if response.status_code == _NO_CONTENT:
        return ""  # a space after it has been seen, which is no body
    # Chunk sizes, trailers and the like yield no piece, so one call may read them for ever.
    watchdog = threading.Timer(ends_at - time.monotonic(), _cut_off, [response])
    watchdog.daemon = True
    watchdog.start()
    body = bytearray()
    try:
        while piece := response.raw.read1(CHUNK_BYTES, decode_content=True):
            body += piece
            limit.take(len(piece))
            if time.monotonic() >= ends_at:
                break
    except BaseException:
        limit.give_back(len(body))
        raise
    finally:
        watchdog.cancel()
    if time.monotonic() >= ends_at:  # also when the cut looked like the end
        raise TimedOut("The provider's response did not end in time.")
    return body.decode("utf-8-sig", "replace")


def read_data(response: requests.Response, text: str) -> Any:
    """Parse a body. What is no JSON is fatal only where one was promised, with a 2xx."""
    if not text.strip():
        return None
    kind = response.headers.get("Content-Type", "application/json").partition(";")[0].strip()
    try:
        if "json" not in kind.lower():
            raise ValueError(f"it is {kind}")
        return read_json(text)
    except ValueError as error:
        if not 200 <= response.status_code < 300:
            return None
        is_json = "json" in kind.lower()
        reason = "it is not valid JSON" if is_json else str(error)
    # the kind as the code: some providers' web pages mean more than a bad day
    raise BadAnswer(
        f"The provider's response could not be read: {reason}.",
        code="" if is_json else kind.lower(),
        ambiguous=True,
    )
