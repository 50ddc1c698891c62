"""What static/js/stats.js draws, as JSON: the figures by the hour or day, and how to write them."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from insights.statistics.reading import Statistics
from insights.statistics.tally import Bucket
from insights.views.stats.filter import PageStats
from insights.views.stats.providers import Split
from insights.views.stats.tables import labels

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Series:
    """`key` is the class in board.css that gives its colour."""

    key: str
    label: str
    read: Callable[[Bucket], float | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """Stacked bars, the first series at the bottom, or lines; `unit` says how figures are written.

    `data` is the JSON, `summary` for who does not see it.
    """

    name: str
    title: str
    summary: str
    series: Sequence[Series]
    data: str = ""


_OUTCOMES = (
    Series("failed", "Failed", lambda bucket: bucket.outcomes.failed),
    Series("succeeded", "Succeeded", lambda bucket: bucket.outcomes.succeeded),
    Series("cancelled", "Cancelled", lambda bucket: bucket.outcomes.cancelled),
)


def _rate(bucket: Bucket) -> float | None:
    return _as_percent(bucket.outcomes.success_rate)


def _as_percent(rate: float | None) -> float | None:
    return None if rate is None else round(rate * 100, 2)


def _times(name: str) -> tuple[Series, ...]:
    def read(part: float) -> Callable[[Bucket], float | None]:
        return lambda bucket: getattr(bucket.outcomes, name).percentile(part)

    return (
        Series("median", "Median", read(0.5)),
        Series("most", "95th percentile", read(0.95)),
    )


_KINDS: dict[str, tuple[str, str, str, Sequence[Series]]] = {
    "outcomes": ("Outcomes per {}", "bars", "count", _OUTCOMES),
    "success": ("Success rate", "lines", "percent", (Series("median", "Succeeded", _rate),)),
    "wait": ("Wait time", "lines", "duration", _times("wait")),
    "run": ("Run time", "lines", "duration", _times("run")),
    "output": (
        "Output made, hours",
        "bars",
        "hours",
        (Series("output", "Output", lambda one: round(one.outcomes.output_ms / HOUR_MS, 3)),),
    ),
}


def build_charts(found: Statistics, filters: PageStats, split: Split | None) -> list[Chart]:
    names = labels(found.buckets, filters)
    apart = {} if split is None else {"success": _apart(split)}
    return [
        _build(name, found, names, filters.group, apart.get(name, series))
        for name, (_, _, _, series) in _KINDS.items()
    ]


def _apart(split: Split) -> Sequence[Series]:
    def read(rates: Mapping[datetime, float]) -> Callable[[Bucket], float | None]:
        return lambda bucket: _as_percent(rates.get(bucket.at))

    own, others = read(split.own), read(split.others)
    return Series("failed", split.label, own), Series("most", "Others", others)


def _build(
    name: str, found: Statistics, names: Sequence[str], group: str, series: Sequence[Series]
) -> Chart:
    title, kind, unit, _ = _KINDS[name]
    title = title.format(group)
    data = {
        "kind": kind,
        "unit": unit,
        "labels": names,
        "series": [
            {"key": one.key, "label": one.label, "values": list(map(one.read, found.buckets))}
            for one in series
        ],
    }
    summary = f"{title}, by the {group}. The table below has the figures."
    return Chart(name, title, summary, series, json.dumps(data, separators=(",", ":")))
