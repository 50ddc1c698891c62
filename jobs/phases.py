"""How long a job waited and ran, as far as its provider reported the times."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from jobs.clock import is_ahead
from jobs.models import Job
from providers.status import JobStatus

# Why there is no length although both times are known, and what a tooltip says of it.
INCONSISTENT = "inconsistent"
CLOCK_AHEAD = "clock ahead"
EXPLANATIONS = {
    INCONSISTENT: "The provider reports an end before the start",
    CLOCK_AHEAD: "The provider reports a start in the future",
}


@dataclass(frozen=True, slots=True)
class Phase:
    """One stretch of a job's life. `length` is None where the provider told no times for it.

    `share` is its part of the whole in per cent, None unless every phase is known. An ongoing
    phase has no end, and its length is that until now.
    """

    name: str
    started_at: datetime | None = None
    ended_at: datetime | None = None
    length: timedelta | None = None
    share: float | None = None
    is_ongoing: bool = False
    is_ahead: bool = False
    problem: str = ""

    @property
    def explanation(self) -> str:
        return EXPLANATIONS.get(self.problem, "")

    @property
    def short(self) -> str:
        """For a table's cell: `wait`, `run` or `in all`."""
        return {"Waiting": "wait", "Running": "run"}.get(self.name, "in all")


def phases(job: Job, now: datetime) -> list[Phase]:
    """Waiting, then running; both as one where the provider does not tell when it started."""
    is_running = job.status == JobStatus.RUNNING
    until = now if is_running else job.finished_at
    if job.status in (JobStatus.SUBMITTING, JobStatus.QUEUED):
        begun = job.created_at or job.first_seen_at
        return [_phase("Waiting", begun, now, is_ongoing=True), Phase("Running", is_ahead=True)]
    if job.started_at is None:
        return [_phase("Waiting and running", job.created_at, until, is_ongoing=is_running)]
    return _with_shares(
        [
            _phase("Waiting", job.created_at, job.started_at),
            _phase("Running", job.started_at, until, is_ongoing=is_running),
        ]
    )


def _phase(
    name: str, begun: datetime | None, until: datetime | None, *, is_ongoing: bool = False
) -> Phase:
    length = until - begun if begun and until else None
    problem = ""
    if begun and until and begun > until:
        if not is_ongoing:
            problem = INCONSISTENT
        elif is_ahead(begun, until):
            problem = CLOCK_AHEAD
        length = None if problem else timedelta()
    ended_at = None if is_ongoing else until
    return Phase(name, begun, ended_at, length, is_ongoing=is_ongoing, problem=problem)


def _with_shares(found: list[Phase]) -> list[Phase]:
    lengths = [phase.length for phase in found if phase.length is not None]
    total = sum(lengths, timedelta())
    if not total or len(lengths) < len(found):
        return found
    return [
        replace(phase, share=100 * length / total)
        for phase, length in zip(found, lengths, strict=True)
    ]
