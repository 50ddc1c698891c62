"""Reads TPStreams' jobs. List, details, the answer to a creation and webhooks have four
different sets of keys, and any of them may be missing, null, or of another type.

Everything is read from the redacted body; only an address that a browser opens and our key are
taken from the whole one.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import unquote_plus

from providers.core.errors import classify
from providers.core.status import JobStatus, OutputStatus, read_status
from providers.core.types import RemoteError, RemoteInput, RemoteJob, RemoteOutput
from providers.http.redaction import redact, split_url, url_expiry
from providers.parsing import customer_object
from providers.parsing.media import read_file_name
from providers.parsing.times import read_duration_ms, read_time
from providers.parsing.urls import NAME_LENGTH, parse_url
from providers.parsing.values import (
    limit_items,
    read_count,
    read_dict,
    read_id,
    read_list,
    read_text,
)
from providers.tpstreams.error_patterns import ERROR_PATTERNS

# Cancelling is documented, the word that follows from it is not; "processing" and "not started"
# are words of the same company's open transcoder, and of its assets.
JOB_STATUSES: Mapping[str, JobStatus] = {
    "notstarted": JobStatus.QUEUED,
    "queued": JobStatus.QUEUED,
    "transcoding": JobStatus.RUNNING,
    "processing": JobStatus.RUNNING,
    "completed": JobStatus.SUCCEEDED,
    "error": JobStatus.FAILED,
    "cancelled": JobStatus.CANCELLED,
    "canceled": JobStatus.CANCELLED,
}
# A rendition has no status of its own: it is as far as its job.
OUTPUT_STATUSES: Mapping[str, OutputStatus] = {
    word: OutputStatus(status.value) for word, status in JOB_STATUSES.items()
}

ADDRESS_LENGTH = 8000
DAY_MS = 86_400_000

_DAYS = re.compile(r"(\d{1,5})(?: days?,)? (\d.*)", re.ASCII)
_RESOLUTION = re.compile(r"(\d{2,5})p?", re.ASCII)
_ATTACHMENT = re.compile(r"[?&]response-content-disposition=([^&#]*)", re.IGNORECASE)
_FILE_NAME = re.compile(r"filename\*?=\s*(?:utf-8'[^']*')?\"?([^\";]+)", re.IGNORECASE)


def read_job(item: Any, secrets: Iterable[str]) -> RemoteJob | None:
    """Read a job of any answer or webhook; None when it has no id."""
    whole = read_dict(item)
    secrets = tuple(secrets)
    raw = redact(whole, secrets)
    # Not of `raw`: redaction cuts what comes late in a body that is too large.
    remote_id = read_id(redact(whole.get("id"), secrets))
    if remote_id is None:
        return None
    status = read_status(raw.get("status"), JOB_STATUSES, JobStatus.UNKNOWN)
    url, secret_url = _read_address(read_source(whole), secrets)
    metadata, key = customer_object.read(whole.get("client_metadata"))
    return RemoteJob(
        remote_id=remote_id,
        status=status,
        provider_status=read_text(raw.get("status")) or "",
        name=_read_attachment_name(url) or read_file_name(url),
        progress=100.0 if status is JobStatus.SUCCEEDED else None,
        started_at=read_time(raw.get("start_time")),
        finished_at=read_time(raw.get("end_time")),
        input=RemoteInput(
            url=url,
            secret_url=secret_url,
            duration_ms=_read_duration_ms(raw.get("video_duration")) or None,
        ),
        outputs=limit_items(_read_outputs(whole, raw, secrets)),
        errors=tuple(_read_errors(raw, status)),
        metadata=redact(metadata, secrets),
        key=key,
        raw=raw,
        lists_outputs="resolutions" in raw,
    )


def read_source(body: Mapping[str, Any]) -> str | None:
    """The address of the source; under which of the two names a path comes back is not told."""
    return read_text(body.get("input_url"), ADDRESS_LENGTH) or read_text(
        body.get("input_path"), ADDRESS_LENGTH
    )


def is_job(body: Mapping[str, Any]) -> bool:
    """Tell a job from an asset or a live stream. No body names its event."""
    has_source = "input_url" in body or "input_path" in body
    return has_source and "output_path" in body and "resolutions" in body


def _read_address(address: str | None, secrets: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Redact an address. The whole one is kept where a browser opens it, not for `s3://`."""
    if not address:
        return None, None
    url, secret_url = split_url(address, secrets)
    return url, secret_url if parse_url(address).is_web else None


def _read_attachment_name(url: str | None) -> str | None:
    """The name that a signed link gives to the download; that of its object is often a hash."""
    attachment = _ATTACHMENT.search(url or "")
    named = _FILE_NAME.search(unquote_plus(attachment[1])) if attachment else None
    return (read_text(re.split(r"[/\\]", named[1])[-1], NAME_LENGTH)) if named else None


def _read_duration_ms(value: Any) -> int | None:
    """Read seconds, `00:01:43`, `00:01:43.500000` and, past a day, `1 02:03:04`."""
    days = _DAYS.fullmatch(value.strip()) if isinstance(value, str) else None
    if days is None:
        return read_duration_ms(value, unit="s")
    rest = read_duration_ms(days[2])
    return None if rest is None else int(days[1]) * DAY_MS + rest


def _read_outputs(
    whole: Mapping[str, Any], raw: Mapping[str, Any], secrets: tuple[str, ...]
) -> Iterator[RemoteOutput]:
    """Yield the renditions asked for. Of each is known its height, and where all of them go."""
    url, secret_url = _read_address(read_text(whole.get("output_path"), ADDRESS_LENGTH), secrets)
    status = read_status(raw.get("status"), OUTPUT_STATUSES, OutputStatus.UNKNOWN)
    for label in dict.fromkeys(_read_resolutions(raw.get("resolutions"))):
        height = _RESOLUTION.fullmatch(label)
        yield RemoteOutput(
            remote_id=label,
            status=status,
            provider_status=read_text(raw.get("status")) or "",
            label=label,
            height=int(height[1]) if height else None,
            url=url,
            secret_url=secret_url,
            expires_at=url_expiry(url) if url else None,
            progress=100.0 if status is OutputStatus.SUCCEEDED else None,
        )


def _read_resolutions(value: Any) -> Iterator[str]:
    """Yield `240p`; other calls of the same API write 240."""
    for item in read_list(value):
        name = read_id(item)
        if name:
            yield f"{name}p" if read_count(name) is not None else name


def _read_errors(raw: Mapping[str, Any], status: JobStatus) -> Iterator[RemoteError]:
    if message := read_text(raw.get("error_message")):
        yield RemoteError(classify("", message, {}, ERROR_PATTERNS), message=message)
    elif status is JobStatus.FAILED:
        yield RemoteError("unknown")
