"""How one answer changes what we hold of a job: rules only, no database.

`None` in an answer means "not told" and keeps what is known. What must never happen: progress
or times that nobody reported, a success that the provider did not tell, a failure without an
error.
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, TypeVar

from django.db import models

from jobs.fields import Undecryptable
from jobs.models import Job, Output
from providers.errors import CLASSES
from providers.redaction import CUT, MAX_DEPTH
from providers.status import JobStatus, OutputStatus, fold
from providers.text import make_one_line, make_storable
from providers.types import OutputKind, RemoteError, RemoteInput, RemoteJob, RemoteOutput
from providers.urls import strip_query

UNKNOWN_ERROR = RemoteError("unknown")
NO_ERROR = {"error_class": "", "error_code": "", "error_message": ""}

# Two per cent is DESIGN's line; the floor keeps codec padding on short clips from counting.
DURATION_TOLERANCE = 0.02
DURATION_FLOOR_MS = 250

# Two times of one end are no further apart than what rounding takes away.
SAME_END = timedelta(seconds=1)

_JOB_FACTS = {
    "name": "name",
    "created_at": "created_at",
    "started_at": "started_at",
    "finished_at": "finished_at",
    "metadata": "metadata",
    "is_test": "is_test",
    "priority": "priority",
    "console_url": "console_url",
}
_INPUT_FACTS = {
    "url": "input_url",
    "duration_ms": "input_duration_ms",
    "size_bytes": "input_size_bytes",
    "width": "input_width",
    "height": "input_height",
    "frame_rate": "input_frame_rate",
    "bitrate_kbps": "input_bitrate_kbps",
    "video_codec": "input_video_codec",
    "audio_codec": "input_audio_codec",
}
_OUTPUT_FACTS = (
    "label",
    "format",
    "width",
    "height",
    "frame_rate",
    "video_codec",
    "audio_codec",
    "video_bitrate_kbps",
    "audio_bitrate_kbps",
    "duration_ms",
    "size_bytes",
    "url",
    "secret_url",
    "expires_at",
)

Signed = TypeVar("Signed", RemoteInput, RemoteOutput)


class Ruling(Enum):
    """What an answer means for the row that we hold."""

    UPDATE = "update"
    STALE = "stale"  # older than what we hold
    REOPEN = "reopen"  # the provider runs it again: a new attempt


def digest(remote: RemoteJob) -> str:
    """Fingerprint of what an answer tells, 32 hex digits.

    What signs an address is left out, its time with it: some providers sign anew for each
    answer, and a new signature alone is no change worth a write.
    """
    plain = replace(
        remote,
        raw=None,
        is_partial=False,
        input=_unsigned(remote.input),
        outputs=tuple(replace(_unsigned(output), expires_at=None) for output in remote.outputs),
    )
    return hashlib.blake2b(repr(plain).encode(errors="replace"), digest_size=16).hexdigest()


def judge(row: Job, remote: RemoteJob, observed_at: datetime) -> Ruling:
    """Decide whether the answer is news. Reads `row.retry_of` and `row.poll`."""
    if row.observed_at is None:
        return Ruling.UPDATE  # submitted here, and this is the provider's first word on it
    poll = getattr(row, "poll", None)
    if observed_at < max(row.observed_at, poll.confirmed_at if poll else row.observed_at):
        return Ruling.STALE
    if row.is_terminal and not remote.status.is_terminal:
        if remote.status is JobStatus.UNKNOWN:
            return Ruling.STALE
        told = {remote.updated_at, remote.created_at, remote.started_at}
        told -= {row.created_at, row.started_at}  # its own times, by a clock of their own
        return Ruling.REOPEN if any(_is_after_end(row, at) for at in told) else Ruling.STALE
    if remote.status.is_terminal and row.attempt > 1 and row.retry_of is not None:
        # a lagging list still tells how the attempt before ended
        told_at = remote.finished_at or remote.updated_at
        if told_at is not None and not _is_after_end(row.retry_of, told_at):
            return Ruling.STALE
    return Ruling.REOPEN if _ended_again(row, remote) else Ruling.UPDATE


def _ended_again(row: Job, remote: RemoteJob) -> bool:
    """Whether the job failed or was cancelled, ran again, and ended before anybody looked."""
    if row.status not in (JobStatus.FAILED, JobStatus.CANCELLED):
        return False
    if row.finished_at is None or remote.finished_at is None:
        return False
    later = remote.finished_at - row.finished_at
    # a list and the details may tell the same end to the second and more exactly
    return later > (SAME_END if remote.status == row.status else timedelta(0))


def _is_after_end(row: Job, at: datetime | None) -> bool:
    """Whether a provider's time is later than the end of `row`, or than our seeing it ended."""
    ended = row.finished_at or row.observed_at
    return at is not None and ended is not None and at > ended


def job_changes(row: Job, remote: RemoteJob) -> dict[str, Any]:
    """Columns of `row` that the answer changes, with their new values. Empty: nothing new."""
    new: dict[str, Any] = {
        "status": remote.status.value,
        "provider_status": _word(row, remote.provider_status),
        "gone_at": None,
    }
    for source, names in ((remote, _JOB_FACTS), (remote.input, _INPUT_FACTS)):
        for name, column in names.items():
            value = getattr(source, name)
            value = storable(Job, column, value)
            if value is not None:
                new[column] = value
    same_status = row.status == remote.status
    new["progress"] = _progress(row, remote, same_status)
    new["phase"] = _phase(row, remote, same_status)
    new |= _errors(row, remote, same_status)
    new["sort_at"] = _sort_at(row, new)
    return _differing(row, new)


def _sort_at(row: Job, new: dict[str, Any]) -> datetime:
    """When the job was made; where the provider does not tell, the earliest that is known of it."""
    if row.attempt > 1:
        # as old as its reopening, whatever the provider calls its creation
        return row.first_seen_at
    created_at, started_at, finished_at = (
        new.get(name) or getattr(row, name) for name in ("created_at", "started_at", "finished_at")
    )
    known: list[datetime | None] = [row.first_seen_at, started_at, finished_at]
    return created_at or min(at for at in known if at)


def output_changes(row: Output, remote: RemoteOutput, position: int) -> dict[str, Any]:
    """Columns of `row` that the answer changes, with their new values."""
    new: dict[str, Any] = {
        "kind": remote.kind.value,
        "status": remote.status.value,
        "provider_status": _word(row, remote.provider_status),
        "position": position,
    }
    if row.status == OutputStatus.RUNNING and remote.status is OutputStatus.QUEUED:
        # a list lags behind the call that tells progress: what has begun does not wait again
        del new["status"], new["provider_status"]
    for name in _OUTPUT_FACTS:
        value = storable(Output, name, getattr(remote, name))
        if value is not None:
            new[name] = value
    if remote.status is OutputStatus.SUCCEEDED:
        new["progress"] = 100.0
    elif (percent := _percent(remote.progress)) is not None:
        new["progress"] = percent
    if "url" in new:
        # an older signed address no longer belongs to it, nor does the end of that one
        new["secret_url"] = new.get("secret_url")
        if new["secret_url"] is None or _differing(row, {"secret_url": new["secret_url"]}):
            new["expires_at"] = remote.expires_at
    # an output that failed with its job has no error of its own
    error = remote.error
    if error is not None:
        new |= error_columns(error)
    elif remote.status is not OutputStatus.FAILED:
        new |= NO_ERROR
    return _differing(row, new)


def _word(row: Job | Output, told: str) -> str:
    """The provider's status word; one that it spells otherwise elsewhere stays as it was."""
    held: str = row.provider_status
    return held if fold(held) == fold(told) else make_storable(told)[:100]


def summary(job: Job, outputs: list[Output]) -> dict[str, Any]:
    """The columns of a job that follow from its outputs; images are not counted."""
    media = [output for output in outputs if output.kind != OutputKind.IMAGE]
    succeeded = sum(output.status == OutputStatus.SUCCEEDED for output in media)
    failed = sum(output.status == OutputStatus.FAILED for output in media)
    new = {
        "outputs_total": len(media),
        "outputs_succeeded": succeeded,
        "outputs_failed": failed,
        "is_partial": job.is_terminal and succeeded > 0 and failed > 0,
        "is_suspect": job.status == JobStatus.SUCCEEDED and _looks_wrong(job, media),
    }
    return _differing(job, new)


def error_columns(error: RemoteError) -> dict[str, str]:
    """A fault as the columns of a job or an output hold it."""
    return {
        "error_class": error.error_class if error.error_class in CLASSES else "unknown",
        "error_code": make_one_line(error.code)[:200],
        "error_message": make_one_line(error.message)[:1000],
    }


def listed_error(error: RemoteError) -> dict[str, str]:
    """A fault as `Job.errors` lists it."""
    columns = error_columns(error)
    return {
        **{name.removeprefix("error_"): value for name, value in columns.items()},
        "origin": make_one_line(error.origin)[:300],
    }


def _differing(row: Job | Output, new: dict[str, Any]) -> dict[str, Any]:
    changes = {}
    for column, value in new.items():
        try:
            if getattr(row, column) == value:
                continue
        except Undecryptable:
            pass  # the key is lost; the provider has just told the value anew
        changes[column] = value
    return changes


def _unsigned(part: Signed) -> Signed:
    if part.url is None or part.secret_url is None:
        return part
    return replace(part, url=strip_query(part.url), secret_url=None)


def _percent(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else min(max(float(value), 0.0), 100.0)


def _progress(row: Job, remote: RemoteJob, same_status: bool) -> float | None:
    if remote.status is JobStatus.SUCCEEDED:
        return 100.0
    if (percent := _percent(remote.progress)) is not None:
        return percent
    # a failed or cancelled job keeps how far it was last reported to be
    return row.progress if same_status or remote.status.is_terminal else None


def _phase(row: Job, remote: RemoteJob, same_status: bool) -> str:
    if remote.status.is_terminal:
        return ""
    if remote.phase is not None:
        return make_storable(remote.phase)[:100]
    return row.phase if same_status else ""


def _errors(row: Job, remote: RemoteJob, same_status: bool) -> dict[str, Any]:
    failed = remote.status is JobStatus.FAILED
    if not remote.errors and same_status and bool(row.error_class) == failed:
        return {}
    errors = remote.errors or ((UNKNOWN_ERROR,) if failed else ())
    return {
        "errors": [listed_error(error) for error in errors[:100]],
        **(error_columns(errors[0]) if failed else NO_ERROR),
    }


def storable(model: type[models.Model], column: str, value: Any) -> Any:
    """`value` as the column can hold it: text storable and cut, a number out of range not told."""
    column_field = model._meta.get_field(column)
    if isinstance(value, str):
        return make_storable(value)[: getattr(column_field, "max_length", None)]
    if isinstance(column_field, models.JSONField):
        return clean_json(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(column_field, models.FloatField):
        return value if math.isfinite(value) else None
    bits = 63 if isinstance(column_field, models.BigIntegerField) else 31
    smallest = 0 if column_field.get_internal_type().startswith("Positive") else -(2**bits)
    return value if smallest <= value < 2**bits else None


def clean_json(value: Any, depth: int = MAX_DEPTH) -> Any:
    """A JSON value as PostgreSQL's jsonb takes it: NUL and lone surrogates spelled out, no NaN.

    What lies deeper than `depth` becomes CUT: walking it could end the process's stack.
    """
    if isinstance(value, str):
        return make_storable(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping | list | tuple) and depth == 0:
        return CUT
    if isinstance(value, Mapping):
        return {make_storable(str(key)): clean_json(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item, depth - 1) for item in value]
    return value


def _looks_wrong(job: Job, media: list[Output]) -> bool:
    """Whether a success is suspect: too few outputs, an empty one, or one of the wrong length."""
    done = [output for output in media if output.status == OutputStatus.SUCCEEDED]
    skipped = sum(output.status == OutputStatus.SKIPPED for output in media)
    if media and not done and skipped < len(media):
        return True
    # what `extra` asks for is in the provider's words, and may replace the renditions
    if job.request and not job.request.get("extra") and len(media) < _asked(job.request):
        return True
    files = [output for output in done if output.kind in (OutputKind.VIDEO, OutputKind.AUDIO)]
    if any(output.size_bytes == 0 for output in files):
        return True
    # a test job is cut short by the provider
    if job.is_test or not job.input_duration_ms:
        return False
    allowed = max(job.input_duration_ms * DURATION_TOLERANCE, DURATION_FLOOR_MS)
    return any(
        output.duration_ms is not None and abs(output.duration_ms - job.input_duration_ms) > allowed
        for output in files
    )


def _asked(request: dict[str, Any]) -> int:
    """The fewest outputs that fulfil a request: one file a height, one package for HLS."""
    renditions = request.get("renditions") or []
    return sum(
        len(rendition["heights"]) if rendition["packaging"] == "mp4" else 1
        for rendition in renditions
    )
