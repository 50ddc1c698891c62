"""How one answer changes what we hold of a job: rules only, no database.

`None` in an answer means "not told" and keeps what is known. What must never happen: progress
or times that nobody reported, a success that the provider did not tell, a failure without an
error.
"""

import hashlib
import json
import math
import re
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, TypeVar

from django.db import models

from jobs.mirror.storable import fit_to_column
from jobs.mirror.suspicion import find_faults
from jobs.models import EndSource, Job, Output
from jobs.models.fields import Undecryptable
from providers.core.errors import CLASSES
from providers.core.status import JobStatus, OutputStatus, fold
from providers.core.types import OutputKind, RemoteError, RemoteInput, RemoteJob, RemoteOutput
from providers.http.redaction import REDACTED
from providers.parsing.clock import is_ahead
from providers.parsing.text import make_one_line, make_storable
from providers.parsing.urls import strip_query

UNKNOWN_ERROR = RemoteError("unknown")
NO_ERROR = {"error_class": "", "error_code": "", "error_message": ""}

# Two times of one end are no further apart than what rounding takes away.
SAME_END = timedelta(seconds=1)

_JOB_FACTS = {
    "name": "name",
    "created_at": "created_at",
    "started_at": "started_at",
    "finished_at": "finished_at",
    "metadata": "metadata",
    "is_test": "is_test",
    "is_clip": "is_clip",
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
    "slot",
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

# The query of a signed URL: some providers sign anew for each answer.
_SIGNED_QUERY = re.compile(rf"\?[^\s\"?]*{REDACTED}[^\s\"]*")

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
    return _fingerprint(repr(plain))


def body_digest(raw: Any) -> str:
    """Fingerprint of a redacted payload, 32 hex digits, without the signatures of its URLs."""
    return _fingerprint(_SIGNED_QUERY.sub("", json.dumps(raw, separators=(",", ":"))))


def _fingerprint(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=16).hexdigest()


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
        if told_at is not None and not shows_rerun(row.retry_of, remote):
            return Ruling.STALE
    return Ruling.REOPEN if _ended_again(row, remote) else Ruling.UPDATE


def shows_rerun(before: Job, remote: RemoteJob) -> bool:
    """Whether an answer that was asked for after a resubmit of `before` is about the new attempt.

    Ends are compared by the provider's clock alone, as far as it reports them.
    """
    if not remote.status.is_terminal:
        return True
    if before.finished_at is None or remote.finished_at is None:
        ended_at = remote.finished_at or remote.updated_at
        return remote.status != before.status or _is_after_end(before, ended_at)
    later = remote.finished_at - before.finished_at
    # a list and the details may report the same end to the second and more exactly
    return later >= SAME_END if remote.status == before.status else later > timedelta(0)


def next_attempt(held: models.QuerySet[Job]) -> int:
    """The number of the attempt after `held`, all attempts of one remote id."""
    newest: int = held.aggregate(newest=models.Max("attempt"))["newest"] or 0
    return newest + 1


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


def job_changes(
    row: Job, remote: RemoteJob, observed_at: datetime, now: datetime
) -> dict[str, Any]:
    """Columns of `row` that the answer changes, with their new values. Empty: nothing new.

    `observed_at` is when the answer was asked for, `now` what a wrong clock is told by.
    """
    new: dict[str, Any] = {
        "status": remote.status.value,
        "provider_status": _word(row, remote.provider_status),
        "gone_at": None,
    }
    for source, names in ((remote, _JOB_FACTS), (remote.input, _INPUT_FACTS)):
        for name, column in names.items():
            value = getattr(source, name)
            value = fit_to_column(Job, column, value)
            if value is not None:
                new[column] = value
    same_status = row.status == remote.status
    if row.attempt > 1 and row.created_at:
        new.pop("created_at", None)  # ours began when it was asked for
    new["progress"] = _progress(row, remote, same_status)
    new["phase"] = _phase(row, remote, same_status)
    new |= _errors(row, remote, same_status)
    if remote.lists_outputs and remote.status.is_terminal:
        new["has_listed_outputs"] = True
    new["sort_at"] = _sort_at(row, new, now)
    new["sort_started_at"] = _sort_started_at(row, new, now)
    new |= _end(row, remote, new, observed_at, now)
    return _differing(row, new)


def _sort_at(row: Job, new: dict[str, Any], now: datetime) -> datetime:
    """When the job was created; where that is not reported, the earliest time known of it.

    A creation in our future is a wrong clock: such a job sorts by when we first saw it, and goes
    on doing so when its time has come.
    """
    if row.attempt > 1:
        # as old as its reopening, whatever the provider calls its creation
        return row.first_seen_at
    created_at, started_at, finished_at = (
        new.get(name) or getattr(row, name) for name in ("created_at", "started_at", "finished_at")
    )
    if created_at is None:
        known: list[datetime | None] = [row.first_seen_at, started_at, finished_at]
        return min(at for at in known if at)
    if created_at == row.created_at:
        return row.sort_at
    return row.first_seen_at if is_ahead(created_at, now) else created_at


def _sort_started_at(row: Job, new: dict[str, Any], now: datetime) -> datetime | None:
    """When the job started, if that is reported; by a wrong clock as `_sort_at` takes it."""
    started_at: datetime | None = new.get("started_at") or row.started_at
    if started_at is None or started_at == row.started_at:
        return row.sort_started_at
    return row.first_seen_at if is_ahead(started_at, now) else started_at


def _end(
    row: Job, remote: RemoteJob, new: dict[str, Any], observed_at: datetime, now: datetime
) -> dict[str, Any]:
    """When the job ended, and how we know it."""
    if not remote.status.is_terminal:
        return {"ended_at": None, "ended_at_source": "", "observed_finished_at": None}
    reported_at = new.get("finished_at") or row.finished_at
    if row.ended_at is not None and reported_at == row.finished_at:
        return {}
    observed = row.observed_finished_at
    if observed is None and row.status and not row.is_terminal:
        observed = observed_at
    if reported_at is not None and not is_ahead(reported_at, now):
        end = {"ended_at": reported_at, "ended_at_source": EndSource.PROVIDER.value}
    elif observed is not None:
        end = observed_end(observed)
    else:
        end = _estimated_end(row, new, now)
    return {"observed_finished_at": observed, **end}


def observed_end(at: datetime) -> dict[str, Any]:
    """The columns of a job that we saw end at `at`."""
    return {
        "observed_finished_at": at,
        "ended_at": at,
        "ended_at_source": EndSource.OBSERVED.value,
    }


def _estimated_end(row: Job, new: dict[str, Any], now: datetime) -> dict[str, Any]:
    """For a job that had ended before we saw it: its start, else its creation, else our first look.

    None of them is the end, but an import does not put the failures of a year into today.
    """
    known = [new.get(name) or getattr(row, name) for name in ("started_at", "created_at")]
    if row.attempt > 1:
        known = []  # they are those of the first attempt
    credible = [at for at in known if at and not is_ahead(at, now)]
    return {
        "ended_at": credible[0] if credible else row.first_seen_at,
        "ended_at_source": EndSource.ESTIMATED.value,
    }


def output_changes(row: Output, remote: RemoteOutput, position: int) -> dict[str, Any]:
    """Columns of `row` that the answer changes, with their new values."""
    new: dict[str, Any] = {
        "kind": remote.kind.value,
        "status": remote.status.value,
        "provider_status": _word(row, remote.provider_status),
        "position": position,
    }
    if remote.remote_id != remote.slot:
        new["remote_id"] = remote.remote_id  # the provider has given the file its id
    if row.status == OutputStatus.RUNNING and remote.status is OutputStatus.QUEUED:
        # a list lags behind the call that tells progress: what has begun does not wait again
        del new["status"], new["provider_status"]
    for name in _OUTPUT_FACTS:
        value = fit_to_column(Output, name, getattr(remote, name))
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


def summary(job: Job, outputs: list[Output], cut_fields: Collection[str]) -> dict[str, Any]:
    """The columns of a job that follow from its outputs; images are not counted.

    `cut_fields` are the settings by which its provider encodes a part of the input only.
    """
    media = [output for output in outputs if output.kind != OutputKind.IMAGE]
    succeeded = sum(output.status == OutputStatus.SUCCEEDED for output in media)
    failed = sum(output.status == OutputStatus.FAILED for output in media)
    reason = find_faults(job, media, cut_fields) if job.status == JobStatus.SUCCEEDED else ""
    new = {
        "outputs_total": len(media),
        "outputs_succeeded": succeeded,
        "outputs_failed": failed,
        "is_partial": job.is_terminal and succeeded > 0 and failed > 0,
        "is_suspect": bool(reason),
        "suspect_reason": reason,
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
        "errors": [listed_error(error) for error in dict.fromkeys(errors[:100])],
        **(error_columns(errors[0]) if failed else NO_ERROR),
    }
