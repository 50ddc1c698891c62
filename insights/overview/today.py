"""Today so far, beside what is usual by this time of the day."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse

from insights.rollups.histogram import Histogram
from insights.statistics.tally import Bucket, Outcomes
from insights.statistics.usual import Today, read_today, usual_range
from jobs.display import formats
from jobs.query.visibility import Visibility
from organizations.models import Organization
from providers.core.status import JobStatus

ENDED = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)
# of the drawing of a comparison: how much of it stays free at each end, in percent
_MARGIN = 6

Text = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A figure of today, and between which two it usually is; None where that is not known.

    The positions are percent of the drawing's width. `is_odd`: worse than usual.
    """

    what: str
    now: str
    usual: str
    url: str
    is_odd: bool
    band_start: float | None
    band_width: float | None
    at: float | None


@dataclass(frozen=True, slots=True)
class TodaySoFar:
    """`days` is how many days the usual ranges are of; `is_complete`: whether all jobs count."""

    buckets: Sequence[Bucket]
    comparisons: Sequence[Comparison]
    days: int
    is_complete: bool


def read_today_so_far(visible: Visibility, now: datetime) -> TodaySoFar:
    today = read_today(visible, now)
    return TodaySoFar(
        today.statistics.buckets,
        list(_comparisons(today, visible.organization)),
        len(today.before),
        today.statistics.is_complete,
    )


def _comparisons(today: Today, organization: Organization) -> Iterable[Comparison]:
    total = today.statistics.total
    path = reverse("jobs:list", args=[organization.slug])

    times = {
        "finished_after": today.begins.isoformat(),
        "finished_before": today.statistics.buckets[-1].end.isoformat(),
    }

    def ended(*statuses: str) -> str:
        return f"{path}?{urlencode({'status': statuses, **times}, doseq=True)}"

    before, whole = today.before, today.whole_days
    yield compare(
        "Success rate",
        total.success_rate,
        (day.success_rate for day in before),
        _percent,
        worse="lower",
    )
    yield compare("Jobs ended", total.total, (day.total for day in before), _number, ended(*ENDED))
    yield compare(
        "Failed",
        total.failed,
        (day.failed for day in before),
        _number,
        ended(JobStatus.FAILED),
        worse="higher",
    )
    for what, of in _HISTOGRAMS.items():
        for name, part in (("median", 0.5), ("95th percentile", 0.95)):
            yield compare(
                f"{what}, {name}",
                of(total).percentile(part),
                [of(day).percentile(part) for day in whole],
                _duration,
                worse="higher",
            )


_HISTOGRAMS: dict[str, Callable[[Outcomes], Histogram]] = {
    "Wait": lambda outcomes: outcomes.wait,
    "Run": lambda outcomes: outcomes.run,
}


def compare(
    name: str,
    value: float | None,
    before: Iterable[float | None],
    text: Text,
    url: str = "",
    worse: str = "",
) -> Comparison:
    """`before` is the figure of earlier days; `worse` says on which side of them it is bad."""
    usual = usual_range(before)
    shown = "–" if value is None else text(value)
    if usual is None:
        return Comparison(name, shown, "", url, False, None, None, None)
    low, high = usual
    is_odd = value is not None and (
        (worse == "lower" and value < low) or (worse == "higher" and value > high)
    )
    least, most = min(low, value if value is not None else low), max(high, value or 0)

    def position(number: float) -> float:
        share = (number - least) / (most - least) if most > least else 0.5
        return round(_MARGIN + share * (100 - 2 * _MARGIN), 1)

    start = position(low)
    return Comparison(
        name,
        shown,
        text(low) if text(low) == text(high) else f"{text(low).removesuffix('%')}–{text(high)}",
        url,
        is_odd,
        start,
        max(position(high) - start, 1),
        None if value is None else position(value),
    )


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _percent(value: float) -> str:
    return f"{value * 100:.1f}".removesuffix(".0") + "%"


def _duration(value: float) -> str:
    return formats.duration(round(value))
