"""Fetching inputs: from this machine only, bounded, with the true reason when it fails."""

import http.client
import re
import ssl
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from sandbox.jobs.model import Problem, ProblemKind

MAX_INPUT_BYTES = 200 * 1024 * 1024
ANSWER_WAIT_S = 5  # short, so that a test of the time-out is
CHUNK_BYTES = 256 * 1024


class InputProblem(Exception):
    """The input can't be used; `problem` says why."""

    def __init__(self, kind: ProblemKind, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(kind, message)


def is_local(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def download(url: str, target: Path, on_progress: Callable[[float], None]) -> None:
    """Fetch `url` into `target`; hears the percentage. Raises InputProblem.

    Buckets and other hosts are out of reach: they answer by rules (docs/sandbox.md).
    """
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https"):
        raise _refuse_bucket(parts)
    if not is_local(parts.hostname):
        raise InputProblem(
            ProblemKind.INPUT_UNREACHABLE,
            f"The sandbox reaches this machine only, not {parts.hostname}.",
        )
    connection = _connect(parts)
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""))
        response = connection.getresponse()
        _check_status(response.status)
        _copy(response, target, on_progress)
    except TimeoutError as error:
        raise InputProblem(
            ProblemKind.INPUT_TIMEOUT, f"The server gave no answer within {ANSWER_WAIT_S} seconds."
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise InputProblem(
            ProblemKind.INPUT_UNREACHABLE, f"The download broke off: {error}."
        ) from error
    finally:
        connection.close()


def _connect(parts: SplitResult) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(host, parts.port, timeout=ANSWER_WAIT_S, context=context)
    return http.client.HTTPConnection(host, parts.port, timeout=ANSWER_WAIT_S)


def _check_status(status: int) -> None:
    if status == 200:
        return
    kind, message = {
        301: (ProblemKind.INPUT_MOVED, "The server says that the file has moved for good."),
        401: (ProblemKind.INPUT_DENIED, "The server asks for a sign-in (401)."),
        403: (ProblemKind.INPUT_DENIED, "The server refused the download (403)."),
        404: (ProblemKind.INPUT_NOT_FOUND, "There is no file at this URL (404)."),
        410: (ProblemKind.INPUT_NOT_FOUND, "The file at this URL is gone (410)."),
    }.get(status, (ProblemKind.INPUT_UNREACHABLE, f"The server answered with status {status}."))
    raise InputProblem(kind, message)


def _copy(
    response: http.client.HTTPResponse, target: Path, on_progress: Callable[[float], None]
) -> None:
    total, done = int(response.headers.get("Content-Length") or 0), 0
    if total > MAX_INPUT_BYTES:
        raise InputProblem(ProblemKind.INPUT_UNREACHABLE, "The file is larger than 200 MB.")
    with target.open("wb") as file:
        while chunk := response.read(CHUNK_BYTES):
            done += len(chunk)
            if done > MAX_INPUT_BYTES:
                raise InputProblem(ProblemKind.INPUT_UNREACHABLE, "The file is larger than 200 MB.")
            file.write(chunk)
            on_progress(100 * done / total if total else 0)
    if total and done < total:
        raise InputProblem(ProblemKind.INPUT_UNREACHABLE, "The connection ended too early.")


def _refuse_bucket(parts: SplitResult) -> InputProblem:
    place = f"{parts.hostname or ''}{parts.path}".lower()
    if re.search(r"denied|forbidden|private", place):
        return InputProblem(ProblemKind.INPUT_DENIED, "The bucket does not grant read access.")
    if "nobucket" in place:
        return InputProblem(ProblemKind.INPUT_BUCKET_NOT_FOUND, "There is no bucket of this name.")
    if "missing" in place:
        return InputProblem(ProblemKind.INPUT_NOT_FOUND, "There is no such object in the bucket.")
    return InputProblem(
        ProblemKind.INPUT_UNREACHABLE,
        f"The sandbox can't read {parts.scheme} URLs: use a clip or an upload of its own.",
    )


def refuse_destination(url: str | None) -> Problem | None:
    """What goes wrong when an output is delivered there; most places take it silently."""
    place = (url or "").lower()
    if re.search(r"denied|forbidden", place):
        return Problem(ProblemKind.OUTPUT_DENIED, "The destination does not grant write access.")
    if "nobucket" in place:
        return Problem(ProblemKind.OUTPUT_BUCKET_NOT_FOUND, "There is no bucket of this name.")
    if "unreachable" in place:
        return Problem(ProblemKind.OUTPUT_UNREACHABLE, "No server answered at the destination.")
    return None


def refuse_content(path: Path) -> InputProblem | None:
    """What the first bytes and the boxes of a file show before FFmpeg sees it.

    Playlists and FFmpeg's own scripts are no media files here: they could name others.
    """
    with path.open("rb") as file:
        head = file.read(1024).lstrip(b"\xef\xbb\xbf \r\n\t")
    lower = head.lower()
    if lower.startswith((b"<!doctype html", b"<html")):
        return InputProblem(
            ProblemKind.INPUT_IS_A_DOCUMENT, "The URL leads to a web page, not to a media file."
        )
    if head.startswith((b"#EXTM3U", b"ffconcat")) or (head and _is_text(head)):
        kind = "an XML" if head.startswith(b"<?xml") else "a text"
        return InputProblem(
            ProblemKind.INPUT_HAS_NO_MEDIA, f"This is {kind} file: it has no sound and no picture."
        )
    if head.startswith(b"%PDF") or not head:
        return InputProblem(
            ProblemKind.INPUT_HAS_NO_MEDIA, "The file is a document or empty: there is no media."
        )
    if _is_cut_short(path):
        return InputProblem(
            ProblemKind.INPUT_TRUNCATED, "The file ends before its headers say it should."
        )
    return None


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        # A character cut in two by the end of the sample is still text.
        if error.start < len(head) - 3:
            return False
        text = head[: error.start].decode()
    return all(character.isprintable() or character in "\r\n\t\f" for character in text)


def _is_cut_short(path: Path) -> bool:
    """Walk the outer boxes of an MP4: a known one that reaches past the end was cut."""
    size, at = path.stat().st_size, 0
    with path.open("rb") as file:
        while at + 8 <= size:
            file.seek(at)
            head = file.read(16)
            length, kind = int.from_bytes(head[:4], "big"), head[4:8]
            if kind not in (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"moof"):
                return False
            if length == 1:
                length = int.from_bytes(head[8:16], "big")
            if length == 0:
                return False  # up to the end of the file
            if at + length > size:
                return True
            at += max(8, length)
    return False
