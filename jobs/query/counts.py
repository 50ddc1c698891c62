"""How many jobs are behind each tab of a list, counted no further than a cap."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from jobs.models import Job
from jobs.query.jobs import JobFilter
from providers.core.status import ACTIVE, JobStatus

COUNT_CAP = 10_000


@dataclass(frozen=True, slots=True)
class Count:
    """A number of rows; `capped` when there are more than `value`."""

    value: int
    capped: bool = False


def tab_counts(
    queryset: QuerySet[Job], gone: bool | None = None, cap: int = COUNT_CAP
) -> dict[str, Count]:
    """How many jobs are behind each tab, in one query a part, each of which stops beyond `cap`.

    Each job is in one part: its status, or `resolved` for a failure that a later attempt fixed, or
    `gone` for an active job that is gone, where these are not asked for. So a text search,
    which no index serves, reads each row once.
    """
    conditions = {status.value: Q(status=status) for status in JobStatus}
    # the status is named with them for SQLite, which without statistics prefers the longer index
    conditions["failed"] = Q(status=JobStatus.FAILED, is_unresolved=True)
    conditions["resolved"] = Q(status=JobStatus.FAILED, resolved_by__isnull=False)
    if gone is not True:
        conditions |= {status.value: Q(status=status, is_active=True) for status in ACTIVE}
    if gone is None:
        conditions["gone"] = Q(status__in=sorted(ACTIVE), gone_at__isnull=False)
    counts = {}
    for name, condition in conditions.items():
        found = queryset.filter(condition).order_by()[: cap + 1].count()
        counts[name] = Count(min(found, cap), found > cap)
    return counts


def total(counts: Iterable[Count], cap: int = COUNT_CAP) -> Count:
    counts = list(counts)
    found = sum(count.value for count in counts)
    return Count(min(found, cap), found > cap or any(count.capped for count in counts))


def count_found(filters: JobFilter, counts: Mapping[str, Count]) -> Count:
    """How many jobs the list has, from the counts of `tab_counts`."""
    names: set[str] = {*filters.status} or {*counts}
    if JobStatus.FAILED in names:
        names.add("resolved")
    if filters.unresolved is not None:
        names = names & {"failed"} if filters.unresolved else names - {"failed"}
    return total(counts[name] for name in names)
