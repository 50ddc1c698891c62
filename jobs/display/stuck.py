"""Why a job is stuck, and how long one takes that is not, in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.models import Job, StuckKind
from providers.core.status import JobStatus

_UNITS = ((72 * 3600, 24 * 3600, "d"), (2 * 3600, 3600, "h"), (120, 60, "min"))


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """When most of the comparable jobs would end if they had begun like this one: `text` says how
    much longer that is, a range.
    """

    text: str
    earliest: datetime
    latest: datetime
    jobs: int


def rough(milliseconds: float) -> str:
    """`40 s`, `22 min`, `31 h`, `5 d`: two or three figures, as people compare times."""
    seconds = max(milliseconds, 0) / 1000
    for least, length, unit in _UNITS:
        if seconds >= least:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def stuck_sentence(job: Job, now: datetime) -> str:
    """`Running for 31 h; 95% of 412 comparable jobs finished within 22 min.` Empty if not stuck."""
    if not job.is_stuck:
        return ""
    is_running = job.status == JobStatus.RUNNING
    begun = (job.started_at if is_running else job.created_at) or job.first_seen_at
    so_far = f"{'Running' if is_running else 'Waiting'} for {rough(_milliseconds(now - begun))}"
    limit = rough(job.stuck_limit_ms or 0)
    provider = job.account.provider_label
    if job.stuck_kind == StuckKind.SLOW:
        those = f"{job.stuck_count or 0:,} {'comparable jobs' if is_running else 'jobs here'}"
        did = "finished" if is_running else "started"
        return f"{so_far}; 95% of {those} {did} within {limit}."
    if job.stuck_kind == StuckKind.LIMIT:
        return f"{so_far}; the limit of this account is {limit}."
    if job.stuck_kind == StuckKind.RESTARTED:
        return f"{provider} has put it back into the queue {job.stuck_count or 0} times."
    if job.stuck_kind == StuckKind.STILL:
        return f"{so_far}, and its progress has not moved for {rough(_since(job, now))}."
    return f"{provider} answers, but has not confirmed this job for {rough(_since(job, now))}."


def stuck_mark(job: Job) -> str:
    """At most about twenty characters, with the figure that it is about."""
    if job.stuck_kind == StuckKind.SLOW:
        return f"Stuck: usual {rough(job.stuck_limit_ms or 0)}"
    return "Stuck"


def time_left_text(least_ms: int, most_ms: int) -> str:
    """`2–4 min left`; a range, since it is what most of the comparable jobs took."""
    least, most = rough(least_ms), rough(most_ms)
    if least_ms < 1000:
        return f"up to {most} left"
    number, _, unit = least.partition(" ")
    if least == most:
        return f"about {most} left"
    return f"{number if most.endswith(f' {unit}') else least}–{most} left"


def _since(job: Job, now: datetime) -> float:
    """How long it was so already when it was marked, and since then."""
    before = job.stuck_limit_ms or 0
    return before + (_milliseconds(now - job.stuck_at) if job.stuck_at else 0)


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
