"""How one answer changes what we know of a job: rules only, no database.

`None` in an answer means "not reported" and keeps what is known. What must never happen: progress
or times that nobody reported, a success that the provider did not report, a failure without an
error.
"""

import math
from collections.abc import Collection
from datetime import datetime
from typing import Any

from jobs.mirror.rules.suspicion import find_faults
from jobs.mirror.rules.times import find_end, find_sort_at, find_sort_started_at
from jobs.mirror.storable import fit_to_column
from jobs.models import Job, Output
from organizations.encryption import Undecryptable
from providers.core.errors import CLASSES, ProviderError
from providers.core.status import JobStatus, OutputStatus, normalize_status
from providers.core.types import OutputKind, RemoteError, RemoteInput, RemoteJob, RemoteOutput
from providers.parsing.text import make_one_line, make_storable

UNKNOWN_ERROR = RemoteError("unknown")
NO_ERROR = {"error_class": "", "error_code": "", "error_message": ""}

# Attributes of what an adapter returns, which are columns of ours.
_JOB_FACTS = (
    "name", "created_at", "started_at", "finished_at", "metadata", "is_test", "is_clip", "priority",
    "console_url",
)  # fmt: skip
_INPUT_FACTS = (
    "url", "duration_ms", "size_bytes", "width", "height", "frame_rate", "bitrate_kbps",
    "video_codec", "audio_codec",
)  # fmt: skip
_OUTPUT_FACTS = (
    "slot", "label", "format", "width", "height", "frame_rate", "video_codec", "audio_codec",
    "video_bitrate_kbps", "audio_bitrate_kbps", "duration_ms", "size_bytes", "url", "secret_url",
    "expires_at",
)  # fmt: skip


def job_changes(
    row: Job, remote: RemoteJob, observed_at: datetime, now: datetime
) -> dict[str, Any]:
    """Columns of `row` that the answer changes, with their new values. Empty: nothing new.

    `observed_at` is when the answer was asked for, `now` what shows a wrong clock.
    """
    same_status = row.status == remote.status
    new: dict[str, Any] = {
        "status": remote.status.value,
        "provider_status": _normalize_status(row, remote.provider_status),
        "gone_at": None,
        **_read_facts(Job, remote, _JOB_FACTS),
        **_read_facts(Job, remote.input, _INPUT_FACTS, "input_"),
        "progress": _progress(row, remote, same_status),
        "phase": _phase(row, remote, same_status),
        "input_fetched_percent": _fetched_percent(row, remote, same_status),
        **_errors(row, remote, same_status),
    }
    if has_own_metadata(row):
        new.pop("metadata", None)
    if row.is_named:
        new.pop("name", None)
    if row.attempt > 1 and row.created_at:
        new.pop("created_at", None)  # ours began when it was asked for
    if remote.lists_outputs and remote.status.is_terminal:
        new["has_listed_outputs"] = True
    new["sort_at"] = find_sort_at(row, new, now)
    new["sort_started_at"] = find_sort_started_at(row, new, now)
    new |= find_end(row, remote, new, observed_at, now)
    return _differing(row, new)


def has_own_metadata(row: Job) -> bool:
    """Whether it was sent with metadata: some providers return text, whatever they were sent."""
    return row.request is not None and row.request.get("metadata") is not None


def output_changes(row: Output, remote: RemoteOutput, position: int) -> dict[str, Any]:
    """Columns of `row` that the answer changes, with their new values."""
    new: dict[str, Any] = {
        "kind": remote.kind.value,
        "status": remote.status.value,
        "provider_status": _normalize_status(row, remote.provider_status),
        "position": position,
        **_read_facts(Output, remote, _OUTPUT_FACTS),
        **_output_progress(remote),
        **_output_error(remote),
    }
    if remote.remote_id != remote.slot:
        new["remote_id"] = remote.remote_id  # the provider has given the file its id
    if row.status == OutputStatus.RUNNING and remote.status is OutputStatus.QUEUED:
        # a list lags behind the call that reports progress: what has begun does not wait again
        del new["status"], new["provider_status"]
    if "url" in new:
        # an older signed URL no longer belongs to it, nor does its expiry
        new["secret_url"] = new.get("secret_url")
        if new["secret_url"] is None or _differing(row, {"secret_url": new["secret_url"]}):
            new["expires_at"] = remote.expires_at
    return _differing(row, new)


def _read_facts(
    model: type[Job | Output],
    source: RemoteJob | RemoteInput | RemoteOutput,
    names: tuple[str, ...],
    prefix: str = "",
) -> dict[str, Any]:
    """What is reported of these, by column."""
    values = {
        prefix + name: fit_to_column(model, prefix + name, getattr(source, name)) for name in names
    }
    return {column: value for column, value in values.items() if value is not None}


def _output_progress(remote: RemoteOutput) -> dict[str, float]:
    done = remote.status is OutputStatus.SUCCEEDED
    percent = 100.0 if done else _percent(remote.progress)
    return {} if percent is None else {"progress": percent}


def _output_error(remote: RemoteOutput) -> dict[str, str]:
    """None is known of an output that failed with its job: it has no error of its own."""
    if remote.error is not None:
        return error_columns(remote.error)
    return {} if remote.status is OutputStatus.FAILED else NO_ERROR


def _normalize_status(row: Job | Output, label: str) -> str:
    """The provider's status label; one that it spells otherwise elsewhere stays as it was."""
    known: str = row.provider_status
    is_same = normalize_status(known) == normalize_status(label)
    return known if is_same else make_storable(label)[:100]


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


def failure_columns(error: ProviderError) -> dict[str, Any]:
    """The columns of a job that failed since the provider refused a request about it."""
    reported = RemoteError(error.error_class, error.code, str(error))
    return {**error_columns(reported), "errors": [listed_error(reported)]}


def listed_error(error: RemoteError) -> dict[str, str]:
    """A fault as `Job.errors` lists it."""
    columns = error_columns(error)
    return {
        **{name.removeprefix("error_"): value for name, value in columns.items()},
        "origin": make_one_line(error.origin)[:300],
    }


def assign(row: Job | Output, changes: dict[str, Any]) -> None:
    for column, value in changes.items():
        setattr(row, column, value)


def _differing(row: Job | Output, new: dict[str, Any]) -> dict[str, Any]:
    changes = {}
    for column, value in new.items():
        try:
            if getattr(row, column) == value:
                continue
        except Undecryptable:
            pass  # the key is lost; the provider has just reported the value again
        changes[column] = value
    return changes


def _percent(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else min(max(float(value), 0.0), 100.0)


def _progress(row: Job, remote: RemoteJob, same_status: bool) -> float | None:
    if remote.status is JobStatus.SUCCEEDED:
        return 100.0
    if (percent := _percent(remote.progress)) is not None:
        return percent
    # a failed or cancelled job keeps how far it was last reported to be
    return row.progress if same_status or remote.status.is_terminal else None


def _fetched_percent(row: Job, remote: RemoteJob, same_status: bool) -> float | None:
    if remote.status.is_terminal:
        return None
    percent = _percent(remote.input.fetched_percent)
    return row.input_fetched_percent if percent is None and same_status else percent


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
