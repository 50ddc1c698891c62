"""How long a job waited and ran, as far as its provider reported the times."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jobs.models import EndSource, Job, ProviderAccount
from providers.core.status import JobStatus
from providers.parsing.clock import is_ahead

BOTH = "Waiting and running"

# Why there is no length although both times are known, and what a tooltip says of it.
INCONSISTENT = "inconsistent"
CLOCK_AHEAD = "clock ahead"
EXPLANATIONS = {
    INCONSISTENT: "The provider reports an end before the start",
    CLOCK_AHEAD: "The provider reports a time in the future",
}


# What `ended_at` is, where it is not the provider's time
END_EXPLANATIONS = {
    EndSource.OBSERVED: "The provider did not report a usable end time. This is when Reelboard saw "
    "that the job had ended.",
    EndSource.ESTIMATED: "The provider did not report a usable end time, and the job had ended "
    "before Reelboard first saw it. This is when it started, was created or was first seen.",
}

# What the version of a row ends with while its job is submitted, and while it waits here
SUBMITTING_NOW, WAITING_HERE = "u", "w"


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of a job's life. `length` is None where the provider reported no times for it.

    `share` is its part of the total in per cent, None unless every phase is known. An ongoing
    phase has no end, and its length is that until now. One that is no longer confirmed has none
    either: its length is that until `stopped_at`.
    """

    name: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    length: timedelta | None = None
    share: float | None = None
    is_ongoing: bool = False
    is_ahead: bool = False
    stopped_at: datetime | None = None
    problem: str = ""

    @property
    def explanation(self) -> str:
        return EXPLANATIONS.get(self.problem, "")

    @property
    def short(self) -> str:
        """For a table's cell: `wait`, `run` or `total`."""
        return {"Waiting": "wait", "Running": "run"}.get(self.name, "total")


def phases(job: Job, now: datetime) -> list[Phase]:
    """Waiting, then running; both as one where the provider does not report when it started."""
    if job.status in (JobStatus.SUBMITTING, JobStatus.QUEUED):
        waiting = _unfinished("Waiting", job.created_at or job.first_seen_at, job, now)
        return [waiting, Phase("Running", is_ahead=job.gone_at is None)]
    name, begun = ("Running", "started_at") if job.started_at else (BOTH, "created_at")
    if job.status == JobStatus.RUNNING:
        last = _unfinished(name, getattr(job, begun), job, now)
    else:
        last = _phase(name, job, begun, "finished_at")
    if name == BOTH:
        return [last]
    return _with_shares([_phase("Waiting", job, "created_at", "started_at"), last])


def stopped_at(job: Job) -> datetime | None:
    """When an active job was last confirmed, if nothing confirms it any more: it is gone, or its
    account is paused or failing. None while its time goes on.
    """
    if job.gone_at is not None or job.remote_id is None or job.account.is_confirming:
        return job.gone_at
    known = [job.account.last_success_at, job.observed_at, job.first_seen_at]
    return max(at for at in known if at)


def live_version(version: int, is_active: bool, account: ProviderAccount) -> str:
    """What a row that is on a page says of itself: the poll brings one that says otherwise.

    The row of an active job also changes when its account stops or begins to be confirmed.
    """
    return f"{version}s" if is_active and not account.is_confirming else str(version)


def waiting_mark(job: Job) -> str:
    """What the row of a job that is being submitted adds to its version: whether it waits here.

    That changes with other jobs of its account, and the job does not.
    """
    if job.status != JobStatus.SUBMITTING:
        return ""
    return WAITING_HERE if getattr(job, "waiting", None) else SUBMITTING_NOW


def end_explanation(job: Job) -> str:
    """Where the time of the job's end comes from; empty where it is the provider's, or ours."""
    if job.remote_id is None or job.ended_at_source not in END_EXPLANATIONS:
        return ""
    return END_EXPLANATIONS[EndSource(job.ended_at_source)]


def _unfinished(name: str, begun: datetime | None, job: Job, now: datetime) -> Phase:
    stopped = stopped_at(job)
    until = stopped or now
    length = max(until - begun, timedelta()) if begun else None
    found = Phase(name, begun, None, length, is_ongoing=stopped is None, stopped_at=stopped)
    if begun and is_ahead(begun, until):
        return replace(found, length=None, problem=CLOCK_AHEAD)
    return found


def _phase(name: str, job: Job, beginning: str, end: str) -> Phase:
    """A phase that is over, between two of the job's times."""
    begun, ended = getattr(job, beginning), getattr(job, end)
    if begun is None or ended is None:
        return Phase(name, begun, ended)
    if begun > ended:
        return Phase(name, begun, ended, problem=INCONSISTENT)
    ahead = _times_ahead(job)
    if end in ahead and beginning not in ahead:
        return Phase(name, begun, ended, problem=CLOCK_AHEAD)
    return Phase(name, begun, ended, ended - begun)


def _times_ahead(job: Job) -> set[str]:
    """Which of the job's times were in our future when we read them: what replaces them is
    another time.
    """
    ahead = set()
    if job.attempt == 1 and job.sort_at != job.created_at:
        ahead.add("created_at")
    if job.sort_started_at != job.started_at:
        ahead.add("started_at")
    if job.ended_at is not None and job.ended_at_source != EndSource.PROVIDER:
        ahead.add("finished_at")
    return ahead


def _with_shares(found: list[Phase]) -> list[Phase]:
    lengths = [phase.length for phase in found if phase.length is not None]
    total = sum(lengths, timedelta())
    if not total or len(lengths) < len(found):
        return found
    return [
        replace(phase, share=100 * length / total)
        for phase, length in zip(found, lengths, strict=True)
    ]
