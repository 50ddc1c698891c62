"""A job as a flat record of an export: a name for each value, times in UTC, lengths in ms."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from jobs.models import Job

COLUMNS = (
    *("id", "provider", "account", "remote_id", "attempt", "batch", "name", "input_url"),
    *("status", "provider_status", "partial", "suspect", "unresolved", "gone"),
    *("error_class", "error_code", "error_message"),
    *("outputs_total", "outputs_succeeded", "outputs_failed"),
    *("created_at", "started_at", "ended_at", "ended_at_source", "input_duration_ms"),
    *("submitted_by", "retry_of", "assignee"),
)


def _time(at: datetime | None) -> str | None:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at else None


# where the column is not an attribute of the job
_DERIVED: dict[str, Callable[[Job], Any]] = {
    "provider": lambda job: job.account.provider,
    "account": lambda job: job.account.name,
    "batch": lambda job: job.batch.name if job.batch else "",
    "partial": lambda job: job.is_partial,
    "suspect": lambda job: job.is_suspect,
    "unresolved": lambda job: job.is_unresolved,
    "gone": lambda job: job.gone_at is not None,
    "created_at": lambda job: _time(job.created_at),
    "started_at": lambda job: _time(job.started_at),
    "ended_at": lambda job: _time(job.ended_at),
    "submitted_by": lambda job: job.submitter_name,
    "retry_of": lambda job: job.retry_of_id,
    "assignee": lambda job: job.assignee_name,
}


def job_record(job: Job) -> dict[str, Any]:
    """The values of COLUMNS; the account, the batch and the people must be loaded."""
    return {
        name: _DERIVED[name](job) if name in _DERIVED else getattr(job, name) for name in COLUMNS
    }
