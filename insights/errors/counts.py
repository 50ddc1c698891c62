"""How many jobs error groups have, when and where: read from two indexes of failed jobs alone.

Nothing here is kept by those that write jobs. A group counts with those that are merged into it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from django.db.models import Case, Count, IntegerField, Max, Min, Q, Value, When
from django.utils import timezone

from jobs.models import Job, JobErrorGroup
from jobs.models.mirror.job import JobQuerySet
from jobs.query.visibility import Visibility

DAYS = 14
HOUR = timedelta(hours=1)


@dataclass
class Totals:
    """The failures of one group; times are those of the failures."""

    jobs: int = 0
    unresolved: int = 0
    first_at: datetime | None = None
    last_at: datetime | None = None
    # jobs by account, the most first
    accounts: dict[int, int] = field(default_factory=dict)


def members_of(roots: Iterable[int]) -> dict[int, int]:
    """The root of each group, by id, of these and those that are merged into them."""
    roots = list(roots)
    merged = JobErrorGroup.objects.filter(merged_into__in=roots)
    pairs = merged.values_list("pk", "merged_into")
    return {pk: pk for pk in roots} | {pk: root for pk, root in pairs if root is not None}


def read_totals(visible: Visibility, members: Mapping[int, int]) -> dict[int, Totals]:
    """By root; `members` come from `members_of`. One query."""
    totals = {root: Totals() for root in members.values()}
    rows = (
        failures(visible, members)
        .order_by()
        .values("error_group", "account")
        .annotate(
            number=Count("*"),
            unresolved=Count("error_group", filter=Q(is_unresolved=True)),
            first_at=Min("ended_at"),
            last_at=Max("ended_at"),
        )
        .values_list("error_group", "account", "number", "unresolved", "first_at", "last_at")
    )
    for group, account, jobs, unresolved, first_at, last_at in sorted(
        rows, key=lambda row: -row[2]
    ):
        found = totals[members[group]]
        found.jobs += jobs
        found.unresolved += unresolved
        found.accounts[account] = found.accounts.get(account, 0) + jobs
        found.first_at = min(filter(None, (found.first_at, first_at)), default=None)
        found.last_at = max(filter(None, (found.last_at, last_at)), default=None)
    return totals


def read_trends(
    visible: Visibility, members: Mapping[int, int], edges: Sequence[datetime]
) -> dict[int, list[int]]:
    """Failures between each two of `edges`, by root. One query, of that time alone."""
    trends = {root: [0] * (len(edges) - 1) for root in members.values()}
    # from the last one down, so that the first that fits is the right one
    part = Case(
        *(
            When(ended_at__gte=edge, then=Value(number))
            for number, edge in reversed(list(enumerate(edges[:-1])))
        ),
        output_field=IntegerField(),
    )
    rows = (
        failures(visible, members)
        .filter(ended_at__gte=edges[0], ended_at__lt=edges[-1])
        .order_by()
        .annotate(part=part)
        .values("error_group", "part")
        .annotate(number=Count("*"))
        .values_list("error_group", "part", "number")
    )
    for group, number, jobs in rows:
        trends[members[group]][number] += jobs
    return trends


def failures(visible: Visibility, groups: Iterable[int]) -> JobQuerySet:
    """The jobs of these groups that the caller may see.

    A group belongs to one organization, so the index is not left for asking which one.
    """
    found = Job.objects.filter(error_group__in=list(groups))
    if visible.account_ids is None:
        return found
    return found.filter(account__in=visible.account_ids)


def day_edges(now: datetime, days: int = DAYS) -> list[datetime]:
    """The beginnings of the last days, today's included, and of tomorrow, in the current zone."""
    zone = timezone.get_current_timezone()
    today = timezone.localtime(now).date()
    dates = [today + timedelta(days=number) for number in range(1 - days, 2)]
    return [datetime.combine(date, time(), zone) for date in dates]


def hour_edges(now: datetime, hours: int = 24) -> list[datetime]:
    """The beginnings of the last hours, this one included, and of the next."""
    this = now.replace(minute=0, second=0, microsecond=0)
    return [this + HOUR * number for number in range(1 - hours, 2)]
