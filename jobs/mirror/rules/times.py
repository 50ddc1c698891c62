"""When a job was created, started and ended, as lists sort and filter it, and how we know."""

from datetime import datetime
from typing import Any

from jobs.models import EndSource, Job
from providers.core.types import RemoteJob
from providers.parsing.clock import is_ahead


def find_sort_at(row: Job, new: dict[str, Any], now: datetime) -> datetime:
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


def find_sort_started_at(row: Job, new: dict[str, Any], now: datetime) -> datetime | None:
    """When the job started, if that is reported; by a wrong clock as `find_sort_at` does."""
    started_at: datetime | None = new.get("started_at") or row.started_at
    if started_at is None or started_at == row.started_at:
        return row.sort_started_at
    return row.first_seen_at if is_ahead(started_at, now) else started_at


def find_end(
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
    """For a job that had ended before we first saw it: its start, its creation, or that moment.

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
