"""The phases of a job, as a table and as a bar."""

from dataclasses import dataclass
from datetime import timedelta

from django import template

from jobs.display.phases import Phase, end_explanation
from jobs.models import UsualTimes

register = template.Library()
register.filter("end_explanation", end_explanation)


@dataclass(frozen=True, slots=True)
class Bar:
    """A phase on the time line, in per cent of its width."""

    x: float
    width: float
    css: str


@dataclass(frozen=True, slots=True)
class UsualLength:
    """Half of so many comparable `jobs` took no longer than `half`, 95 % no longer than `most`."""

    jobs: int
    half: timedelta
    most: timedelta
    is_exceeded: bool


@register.filter
def usual_length(phase: Phase, usual: UsualTimes | None) -> UsualLength | None:
    """What is usual for a phase; None where that is not known of this one."""
    if usual is None:
        return None
    columns = {
        "Waiting": (usual.wait_jobs, usual.wait_p50_ms, usual.wait_p95_ms),
        "Running": (usual.run_jobs, usual.run_p50_ms, usual.run_p95_ms),
    }
    jobs, half_ms, most_ms = columns.get(phase.name, (0, None, None))
    if half_ms is None or most_ms is None:
        return None
    most = timedelta(milliseconds=most_ms)
    is_exceeded = phase.length is not None and phase.length > most
    return UsualLength(jobs, timedelta(milliseconds=half_ms), most, is_exceeded)


def _bar_class(phase: Phase) -> str:
    if phase.length is None:
        return "unreported"
    return {"Waiting": "waiting", "Running": "running"}.get(phase.name, "mixed")


@register.filter
def total_length(found: list[Phase]) -> timedelta | None:
    """What all phases took together; None unless each is known."""
    lengths = [phase.length for phase in found if phase.length is not None]
    return sum(lengths, timedelta()) if len(lengths) == len(found) else None


@register.filter
def with_bars(found: list[Phase]) -> list[tuple[Phase, Bar]]:
    return list(zip(found, _bars(found), strict=True))


def _bars(found: list[Phase]) -> list[Bar]:
    """Each phase by its share; where shares are not known, all of one width."""
    drawn, x = [], 0.0
    for phase in found:
        width = 100 / len(found) if phase.share is None else phase.share
        drawn.append(Bar(x, width, _bar_class(phase)))
        x += width
    return drawn
