"""Writing the sums of some time anew, from the jobs. Call it with the state's row locked."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import datetime, tzinfo
from typing import Any

from insights.models import ErrorRollup, OutcomeRollup, PresetRollup, Rollup, Span, TimedRollup
from insights.rollups.facts import Key, Sums, count_presets, ended, regroup, sum_up
from insights.rollups.histogram import Histogram, read_lanes
from insights.rollups.spans import Window, day_of, start_of
from jobs.models import Job
from organizations.models import Organization


def write_quarters(organization: Organization, window: Window) -> None:
    """The sums of the quarters of `window`, which begins and ends with one, replaced."""
    jobs = ended(Job.objects.for_organization(organization), *window)
    sums, presets = sum_up(jobs), count_presets(jobs)
    _replace(organization, Span.QUARTER, window, OutcomeRollup, _rows(OutcomeRollup, sums))
    _replace(organization, Span.QUARTER, window, ErrorRollup, _rows(ErrorRollup, sums))
    _replace(
        organization,
        Span.QUARTER,
        window,
        PresetRollup,
        (
            PresetRollup(
                account_id=key.account,
                at=key.quarter,
                preset_id=key.preset,
                status=key.status,
                jobs=number,
            )
            for key, number in presets.items()
        ),
    )


_WHAT: dict[type[TimedRollup], tuple[str, Callable[[Key], Any]]] = {
    OutcomeRollup: ("status", lambda key: (key.account, key.quarter, key.status)),
    ErrorRollup: (
        "error_class",
        lambda key: (key.account, key.quarter, key.error_class) if key.error_class else None,
    ),
}


def _rows(model: type[TimedRollup], sums: dict[Key, Sums]) -> Iterable[TimedRollup]:
    name, place = _WHAT[model]
    for (account, at, what), one in regroup(sums, place):
        yield _build(model, account, at, name, what, one)


def _build(
    model: type[TimedRollup], account: int, at: datetime, name: str, what: str, sums: Sums
) -> TimedRollup:
    return model(
        account_id=account,
        at=at,
        jobs=sums.jobs,
        output_ms=sums.output_ms,
        wait=Histogram(sums.wait).pack(),
        run=Histogram(sums.run).pack(),
        **{name: what},
    )


def write_days(organization: Organization, window: Window, zone: tzinfo) -> None:
    """The sums of the days of `window`, which begins and ends with one, made of their quarters."""
    for model in (OutcomeRollup, ErrorRollup):
        rows = _day_rows(model, organization, window, zone)
        _replace(organization, Span.DAY, window, model, rows)
    _replace(
        organization,
        Span.DAY,
        window,
        PresetRollup,
        _preset_day_rows(organization, window, zone),
    )


def _day_rows(
    model: type[TimedRollup], organization: Organization, window: Window, zone: tzinfo
) -> Iterable[TimedRollup]:
    name, _ = _WHAT[model]
    found: defaultdict[tuple[int, datetime, str], Sums] = defaultdict(Sums)
    columns = ("account_id", "at", name, "jobs", "output_ms", "wait", "run")
    rows = _quarters(model, organization, window).values_list(*columns)
    for account, at, what, jobs, output_ms, wait, run in rows:
        sums = Sums(jobs, output_ms, read_lanes(wait), read_lanes(run))
        found[account, start_of(day_of(at, zone), zone), what].add(sums)
    for (account, at, what), sums in found.items():
        yield _build(model, account, at, name, what, sums)


def _preset_day_rows(
    organization: Organization, window: Window, zone: tzinfo
) -> Iterable[PresetRollup]:
    found: Counter[tuple[int, datetime, int, str]] = Counter()
    columns = ("account_id", "at", "preset_id", "status", "jobs")
    rows = _quarters(PresetRollup, organization, window).values_list(*columns)
    for account, at, preset, status, jobs in rows:
        found[account, start_of(day_of(at, zone), zone), preset, status] += jobs
    for (account, at, preset, status), jobs in found.items():
        yield PresetRollup(account_id=account, at=at, preset_id=preset, status=status, jobs=jobs)


def _quarters(model: type[Rollup], organization: Organization, window: Window) -> Any:
    return model._default_manager.filter(
        organization=organization, span=Span.QUARTER, at__gte=window[0], at__lt=window[1]
    )


def _replace(
    organization: Organization,
    span: Span,
    window: Window,
    model: type[Rollup],
    rows: Iterable[Rollup],
) -> None:
    manager = model._default_manager
    manager.filter(
        organization=organization, span=span, at__gte=window[0], at__lt=window[1]
    ).delete()
    rows = list(rows)
    for row in rows:
        row.organization, row.span = organization, span
    manager.bulk_create(rows, batch_size=2_000)
