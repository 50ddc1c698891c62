"""The phases of a job, as a table and as a bar."""

from dataclasses import dataclass
from datetime import timedelta

from django import template

from jobs.display.phases import Phase, end_explanation

register = template.Library()
register.filter("end_explanation", end_explanation)


@dataclass(frozen=True, slots=True)
class Bar:
    """A phase on the time line, in per cent of its width."""

    x: float
    width: float
    css: str


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
