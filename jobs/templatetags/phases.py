"""The phases of a job, as a table and as a bar."""

from dataclasses import dataclass

from django import template
from django.utils import timezone

from jobs.display.phases import Phase, end_explanation, phases
from jobs.models import Job

register = template.Library()
register.filter("end_explanation", end_explanation)


@register.filter
def phases_of(job: Job) -> list[Phase]:
    return phases(job, timezone.now())


@register.filter
def any_length(found: list[Phase]) -> bool:
    """Whether there is something to say of the length of at least one phase."""
    return any(phase.length is not None or phase.problem for phase in found)


@dataclass(frozen=True, slots=True)
class Bar:
    """A phase on the time line, in per cent of its width."""

    x: float
    width: float
    css: str


@register.filter
def bar_class(phase: Phase) -> str:
    if phase.length is None:
        return "unreported"
    return {"Waiting": "waiting", "Running": "running"}.get(phase.name, "mixed")


@register.filter
def bars(found: list[Phase]) -> list[Bar]:
    """Each phase by its share; where shares are not known, all of one width."""
    drawn, x = [], 0.0
    for phase in found:
        width = 100 / len(found) if phase.share is None else phase.share
        drawn.append(Bar(x, width, bar_class(phase)))
        x += width
    return drawn
