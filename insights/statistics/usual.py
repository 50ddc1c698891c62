"""Today against what is usual: the same part of each of the last four weeks' days."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Case, IntegerField, Q, Sum, Value, When

from insights.models import OutcomeRollup, RollupState, Span
from insights.rollups.spans import DAY, Window, day_of, floor, start_of
from insights.statistics.filter import StatsFilter
from insights.statistics.reading import Statistics, read_statistics
from insights.statistics.tally import Outcomes
from jobs.query.visibility import Visibility
from organizations.profile.time_zones import zone_named

DAYS = 28
# With fewer nothing is called usual.
FEWEST_DAYS = 5
# the part of the days that is usual, without the highest and the lowest ones
_LOW, _HIGH = 0.1, 0.9


@dataclass(frozen=True, slots=True)
class Today:
    """`statistics` are today's by the hour, to the end of the day.

    `before` are the same part of the days before, the last one first, as far back as there are
    jobs: only how many. `whole_days` are these days to their end, with times and output.
    """

    begins: datetime
    statistics: Statistics
    before: Sequence[Outcomes]
    whole_days: Sequence[Outcomes]


def read_today(visible: Visibility, now: datetime) -> Today:
    """Today in the organization's zone. About a dozen queries, whatever the number of jobs.

    The parts of the days before end with the last full quarter of an hour. What is not summed up
    so far is left out.
    """
    organization = visible.organization
    zone = zone_named(organization.time_zone)
    today = day_of(now, zone)
    state = RollupState.objects.filter(organization=organization).first()
    parts, oldest = [], today
    for number in range(1, DAYS + 1):
        day = today - DAY * number
        start, end = start_of(day, zone), start_of(day + DAY, zone)
        if state is None or start < state.reached_from or end > state.reached_to:
            break
        clock = floor(now).astimezone(zone).time()
        until = datetime.combine(day, clock, zone).astimezone(now.tzinfo)
        parts.append((start, max(start, min(floor(until), end))))
        oldest = day
    begins = start_of(today, zone)
    whole_days: list[Outcomes] = []
    if parts:
        past = _read(visible, start_of(oldest, zone), begins, "day")
        whole_days = [bucket.outcomes for bucket in reversed(past.buckets)]
    while whole_days and not whole_days[-1].total:
        whole_days.pop()
    return Today(
        begins,
        # to its end: what ended by a clock that is ahead of ours is in the lists of today, too
        _read(visible, begins, start_of(today + DAY, zone), "hour"),
        _count(visible, parts[: len(whole_days)]),
        whole_days,
    )


def usual_range(numbers: Iterable[float | None]) -> tuple[float, float] | None:
    """Between which two most of the numbers are; None where they are too few."""
    ordered = sorted(number for number in numbers if number is not None)
    if len(ordered) < FEWEST_DAYS:
        return None
    last = len(ordered) - 1
    return ordered[round(last * _LOW)], ordered[round(last * _HIGH)]


def _read(visible: Visibility, start: datetime, end: datetime, group: str) -> Statistics:
    asked = {"from": [start.isoformat()], "to": [end.isoformat()], "group": [group]}
    return read_statistics(visible, StatsFilter.parse(asked, visible))


def _count(visible: Visibility, windows: Sequence[Window]) -> list[Outcomes]:
    """How many jobs ended how in each. One query, which the database sums up."""
    if not windows:
        return []
    is_within = [Q(at__gte=start, at__lt=end) for start, end in windows]
    rows = OutcomeRollup.objects.filter(
        reduce(or_, is_within), organization=visible.organization, span=Span.QUARTER
    )
    if visible.account_ids is not None:
        rows = rows.filter(account__in=sorted(visible.account_ids))
    part = Case(
        *(When(one, then=Value(number)) for number, one in enumerate(is_within)),
        output_field=IntegerField(),
    )
    summed = rows.order_by().annotate(part=part).values_list("part", "status").annotate(Sum("jobs"))
    counts: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    for number, status, jobs in summed:
        counts[number][status] = jobs
    return [Outcomes(**counts[number]) for number in range(len(windows))]
