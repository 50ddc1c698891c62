"""Which part of a time is read from which sums, and which part from the jobs themselves."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo

from django.db.models import Q

from insights.models import RollupState, Span
from insights.rollups.spans import Window, ceil, day_of, days_between, floor, start_of
from jobs.models import Job, MovedEnd
from organizations.models import Organization


@dataclass(frozen=True, slots=True)
class Plan:
    """Windows that together are the time that is asked for. `jobs` are the last ones first."""

    days: tuple[Window, ...] = ()
    quarters: tuple[Window, ...] = ()
    jobs: tuple[Window, ...] = ()
    # whether the sums of `days` and `quarters` are right as they are
    is_settled: bool = True

    @property
    def condition(self) -> Q:
        """The rows of a Rollup that are read."""
        found = Q(pk__in=[])
        for span, windows in ((Span.DAY, self.days), (Span.QUARTER, self.quarters)):
            for start, end in windows:
                found |= Q(span=span, at__gte=start, at__lt=end)
        return found

    @property
    def is_from_sums(self) -> bool:
        return bool(self.days or self.quarters)


def make_plan(organization: Organization, limits: Window, zone: tzinfo | None) -> Plan:
    """At most three queries. `zone` is that of the days that are asked for; None: no days."""
    start, end = limits
    state = RollupState.objects.filter(organization=organization).first()
    if state is None:
        return Plan(jobs=_some([limits]))
    summed = max(ceil(start), state.reached_from), min(floor(end), state.reached_to)
    if summed[0] >= summed[1]:
        return Plan(jobs=_some([limits]))
    days: Window | None = None
    if zone is not None and state.time_zone == organization.time_zone:
        days = _whole_days(summed, zone)
    quarters = [summed] if days is None else [(summed[0], days[0]), (days[1], summed[1])]
    return Plan(
        days=_some([days] if days else []),
        quarters=_some(quarters),
        jobs=_some([(summed[1], end), (start, summed[0])]),
        is_settled=not _has_changed(organization, state, summed),
    )


def _some(windows: Iterable[Window]) -> tuple[Window, ...]:
    return tuple(window for window in windows if window[0] < window[1])


def _whole_days(window: Window, zone: tzinfo) -> Window | None:
    """The whole days in it; None where there is none."""
    (_, second), *_ = days_between(window[0], window[1], zone)
    first = start_of(day_of(window[0], zone), zone)
    begins = first if first == window[0] else second
    ends = start_of(day_of(window[1], zone), zone)
    return (begins, ends) if begins < ends else None


def _has_changed(organization: Organization, state: RollupState, window: Window) -> bool:
    """Whether a job in it has changed since it was summed up."""
    moved = MovedEnd.objects.filter(organization=organization)
    if moved.filter(at__gte=window[0], at__lt=window[1]).exists():
        return True
    jobs = Job.objects.for_organization(organization).filter(changed_at__gt=state.seen_at)
    # of those the time is asked for as it is, so that the index is that of changes
    return jobs.filter(ended_at__gte=window[0], ended_at__lt=window[1]).exists()
