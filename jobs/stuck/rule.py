"""When an unfinished job is stuck. Times are milliseconds; nothing here asks the database."""

from dataclasses import dataclass

from jobs.models import StuckKind

MINUTE_MS = 60_000
# Of jobs that end normally one in twenty takes longer than the 95th percentile: a job is stuck at
# a multiple of it, and no sooner than a while after it.
FACTOR = 2
LEAST_EXCESS_MS = 5 * MINUTE_MS
# While progress moves a job is slow at most; so long, it has to stand still.
STILL_MS = 30 * MINUTE_MS
# its account is in sync, but what it says of this job is old
UNCONFIRMED_MS = 15 * MINUTE_MS
# A provider that began a job so often will not get through with it.
RESTARTS = 3


@dataclass(frozen=True, slots=True)
class Usual:
    """95 % of so many `jobs` took no longer than `p95_ms`."""

    jobs: int
    p95_ms: int


@dataclass(frozen=True, slots=True)
class Found:
    """Why a job is stuck, with what it is compared with."""

    kind: StuckKind
    limit_ms: int | None = None
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Situation:
    """An unfinished job. `elapsed_ms` is how long it has run, or waited if it has not started.

    `usual` is None where too few jobs are comparable; then `limit_ms`, of the account, counts.
    `still_ms` is how long its reported progress has not moved, None if none is reported;
    `unconfirmed_ms` how much older its last confirmation is than the account's last sync.
    """

    elapsed_ms: int | None
    usual: Usual | None
    limit_ms: int
    still_ms: int | None = None
    unconfirmed_ms: int = 0
    restarts: int = 0


def judge(job: Situation) -> Found | None:
    """None for a job that is not stuck."""
    elapsed_ms, usual = job.elapsed_ms, job.usual
    if elapsed_ms is not None and usual is not None and elapsed_ms > stuck_after_ms(usual):
        return Found(StuckKind.SLOW, usual.p95_ms, usual.jobs)
    if elapsed_ms is not None and usual is None and 0 < job.limit_ms < elapsed_ms:
        return Found(StuckKind.LIMIT, job.limit_ms)
    if job.restarts >= RESTARTS:
        return Found(StuckKind.RESTARTED, count=job.restarts)
    least_ms = max(STILL_MS, usual.p95_ms if usual else 0)
    if job.still_ms is not None and job.still_ms > least_ms:
        return Found(StuckKind.STILL, job.still_ms)
    if job.unconfirmed_ms > UNCONFIRMED_MS:
        return Found(StuckKind.UNCONFIRMED, job.unconfirmed_ms)
    return None


def stuck_after_ms(usual: Usual) -> int:
    return max(usual.p95_ms * FACTOR, usual.p95_ms + LEAST_EXCESS_MS)


def time_left(elapsed_ms: int, p25_ms: int | None, p90_ms: int | None) -> tuple[int, int] | None:
    """The least and the most that it still takes, for most jobs like it; None where unknown."""
    if p25_ms is None or p90_ms is None or elapsed_ms >= p90_ms:
        return None
    return max(p25_ms - elapsed_ms, 0), p90_ms - elapsed_ms
