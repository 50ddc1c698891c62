"""The tables behind the charts, on the page and as CSV."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from insights.rollups.histogram import Histogram
from insights.statistics.reading import Statistics
from insights.statistics.tally import Bucket, Outcomes
from insights.views.stats.filter import PageStats
from insights.views.stats.links import JobLinks
from insights.views.stats.providers import Split
from jobs.display import formats
from jobs.models import Preset, ProviderAccount
from jobs.templatetags.figures import percent
from providers.core.errors import CLASSES


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """An hour or a day; `label` is for people, in the organization's zone. `cells` have their
    column's head before them."""

    bucket: Bucket
    label: str
    cells: Sequence[tuple[str, Cell]]


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    title: str
    first: str
    head: Sequence[str]
    # the last hour or day first
    lines: Sequence[Line]


def build_table(
    name: str, found: Statistics, filters: PageStats, links: JobLinks, split: Split | None
) -> Table:
    title, head, build = _KINDS[name]
    first = "Hour" if filters.group == "hour" else "Day"
    apart = split if name == "success" else None
    if apart is not None:
        head = (*head, apart.label, "Others")

    def cells(bucket: Bucket) -> list[Cell]:
        found = build(bucket, links)
        if apart is None:
            return found
        rates = (apart.own.get(bucket.at), apart.others.get(bucket.at))
        return [*found, *(Cell("–" if rate is None else percent(rate)) for rate in rates)]

    lines = [
        Line(bucket, label, list(zip(head, cells(bucket), strict=True)))
        for bucket, label in zip(found.buckets, labels(found.buckets, filters), strict=True)
    ]
    return Table(name, title, first, head, lines[::-1])


def labels(buckets: Sequence[Bucket], filters: PageStats) -> list[str]:
    """`Thu 12 Nov`, with the year where there are several; `14:00`, with the day at midnight."""
    zone = filters.zone
    local = [bucket.at.astimezone(zone) for bucket in buckets]
    years = {at.year for at in local}
    found = []
    for at, bucket in zip(local, buckets, strict=True):
        year = f" {at.year}" if len(years) > 1 else ""
        if filters.group == "day":
            label = f"{at:%a} {at.day} {at:%b}{year}"
        else:
            day = f"{at:%a} {at.day} {at:%b}, " if len(buckets) > 25 or at.hour == 0 else ""
            label = f"{day}{at:%H:%M}"
        is_over = bucket.end <= filters.end
        found.append(label if is_over else f"{label}, so far")
    return found


def _outcome_cells(bucket: Bucket, links: JobLinks) -> list[Cell]:
    outcomes, window = bucket.outcomes, (bucket.at, bucket.end)
    counts = [
        Cell(f"{number:,}", links.ended(window, [status]) if number else "")
        for status, number in (
            ("succeeded", outcomes.succeeded),
            ("failed", outcomes.failed),
            ("cancelled", outcomes.cancelled),
        )
    ]
    total = Cell(f"{outcomes.total:,}", links.ended(window) if outcomes.total else "")
    return [*counts, total]


def _success_cells(bucket: Bucket, links: JobLinks) -> list[Cell]:
    outcomes, window = bucket.outcomes, (bucket.at, bucket.end)
    judged = outcomes.succeeded + outcomes.failed
    url = links.ended(window, ["succeeded", "failed"]) if judged else ""
    rate = outcomes.success_rate
    return [
        Cell("–" if rate is None else percent(rate)),
        Cell(f"{judged:,}", url),
    ]


def long_duration(milliseconds: int) -> str:
    """`1:12:09`, and from a hundred hours on `1,234 h`."""
    hours = milliseconds // 3_600_000
    return formats.duration(milliseconds) if hours < 100 else f"{hours:,} h"


def _time_cells(name: str) -> Callable[[Bucket, JobLinks], list[Cell]]:
    def cells(bucket: Bucket, links: JobLinks) -> list[Cell]:
        histogram: Histogram = getattr(bucket.outcomes, name)
        half, most = histogram.percentile(0.5), histogram.percentile(0.95)
        return [Cell(formats.duration(one) or "–") for one in (half, most)]

    return cells


def _output_cells(bucket: Bucket, links: JobLinks) -> list[Cell]:
    return [Cell(long_duration(bucket.outcomes.output_ms))]


_KINDS: Mapping[str, tuple[str, Sequence[str], Callable[[Bucket, JobLinks], list[Cell]]]] = {
    "outcomes": (
        "Outcomes",
        ("Succeeded", "Failed", "Cancelled", "Total"),
        _outcome_cells,
    ),
    "success": ("Success rate", ("Success rate", "Succeeded or failed"), _success_cells),
    "wait": ("Wait time", ("Median", "95th percentile"), _time_cells("wait")),
    "run": ("Run time", ("Median", "95th percentile"), _time_cells("run")),
    "output": ("Output made", ("Duration",), _output_cells),
}


@dataclass(frozen=True, slots=True)
class ErrorLine:
    """The failed jobs of one error class, the most frequent class first."""

    name: str
    title: str
    places: str
    jobs: int
    url: str


def error_lines(
    found: Statistics, accounts: Mapping[int, ProviderAccount], links: JobLinks
) -> list[ErrorLine]:
    jobs: dict[str, int] = {}
    labels: dict[str, set[str]] = {}
    for (name, account), number in found.errors.items():
        jobs[name] = jobs.get(name, 0) + number
        if account in accounts:
            labels.setdefault(name, set()).add(accounts[account].provider_label)
    return [
        ErrorLine(
            name,
            CLASSES.get(name, CLASSES["unknown"]).title,
            _name_places(labels.get(name, set())),
            number,
            links.all_ended("failed", error=name),
        )
        for name, number in sorted(jobs.items(), key=lambda one: (-one[1], one[0]))
    ]


def _name_places(labels: set[str]) -> str:
    return next(iter(labels), "") if len(labels) < 2 else f"{len(labels)} providers"


@dataclass(frozen=True, slots=True)
class PresetLine:
    """The jobs that a preset made an output of, those with most jobs first."""

    preset: Preset
    outcomes: Outcomes
    url: str


def preset_lines(
    found: Statistics, presets: Mapping[int, Preset], links: JobLinks
) -> list[PresetLine]:
    """Of those of `presets` that jobs used."""
    counts: dict[int, dict[str, Any]] = {}
    for (pk, status), number in found.presets.items():
        counts.setdefault(pk, {})[status] = number
    lines = [
        PresetLine(presets[pk], Outcomes(**by_status), links.all_ended(preset=pk))
        for pk, by_status in counts.items()
        if pk in presets
    ]
    return sorted(lines, key=lambda line: (-line.outcomes.total, line.preset.pk))


def bucket_rows(name: str, found: Statistics, zone: tzinfo) -> Iterator[Sequence[Any]]:
    """The lines of a CSV, its head first: figures without their units, which the head names."""
    times = ("begins_utc", "begins")
    if name in ("outcomes", "success"):
        yield (*times, "succeeded", "failed", "cancelled", "success_rate")
    elif name == "output":
        yield (*times, "output_ms")
    else:
        yield (*times, f"{name}_p50_ms", f"{name}_p95_ms")
    for bucket in found.buckets:
        yield (*_write_times(bucket.at, zone), *_figures(name, bucket.outcomes))


def _write_times(at: datetime, zone: tzinfo) -> tuple[str, str]:
    in_utc = at.astimezone(UTC).isoformat(timespec="minutes").replace("+00:00", "Z")
    return in_utc, at.astimezone(zone).isoformat(timespec="minutes")


def _figures(name: str, outcomes: Outcomes) -> Iterable[float | None]:
    if name in ("outcomes", "success"):
        rate = outcomes.success_rate
        rounded = None if rate is None else round(rate, 4)
        return outcomes.succeeded, outcomes.failed, outcomes.cancelled, rounded
    if name == "output":
        return (outcomes.output_ms,)
    histogram: Histogram = getattr(outcomes, name)
    return histogram.percentile(0.5), histogram.percentile(0.95)


def error_rows(lines: Iterable[ErrorLine]) -> Iterator[Sequence[Any]]:
    yield ("error", "title", "jobs")
    for line in lines:
        yield (line.name, line.title, line.jobs)


def preset_rows(lines: Iterable[PresetLine]) -> Iterator[Sequence[Any]]:
    yield ("preset", "account", "succeeded", "failed", "cancelled", "success_rate")
    for line in lines:
        outcomes = line.outcomes
        figures = _figures("success", outcomes)
        yield (str(line.preset), line.preset.account.name, *figures)
