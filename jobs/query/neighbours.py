"""The jobs before and after one in the order of a list, and how far down it is."""

from dataclasses import dataclass, replace
from typing import Any

from django.db.models import Exists, QuerySet, Subquery

from jobs.models import Job
from jobs.query.counts import COUNT_CAP, RowCount
from jobs.query.jobs import JobFilter
from jobs.query.paging import bounded
from jobs.query.paging.keyset import Place, sort
from jobs.query.paging.orderings import Ordering
from organizations.models import Organization
from providers.core.status import JobStatus


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Ids of jobs, None where there is none, or none was found in time.

    `position` counts from 1. It is None where the job is not in the list, comes after the first
    COUNT_CAP, or counting would be slow.
    """

    previous: int | None = None
    next: int | None = None
    next_failed: int | None = None
    position: int | None = None


def find_neighbours(filters: JobFilter, jobs: QuerySet[Job], job: Job) -> Neighbours:
    """Where `job` is in the list of `filters`: one query where an index serves the list.

    Other lists are searched for a fraction of a second on each side.
    """
    after = Place(True, filters.ordering.time_of(job), job.pk)
    found = (_read if filters.is_served else _search)(filters, jobs, after)
    if filters.tab == {JobStatus.FAILED}:
        found["next_failed"] = found["next"]
    is_listed, above = found.pop("is_listed", False), found.pop("above", COUNT_CAP)
    return Neighbours(**found, position=above + 1 if is_listed and above < COUNT_CAP else None)


def _read(filters: JobFilter, jobs: QuerySet[Job], after: Place) -> dict[str, Any]:
    listed = filters.apply(jobs)
    above = sort(listed, filters.ordering.turned(), after).values("pk")
    wanted: dict[str, Any] = {
        "previous": Subquery(above[:1]),
        "next": Subquery(sort(listed, filters.ordering, after).values("pk")[:1]),
        "above": RowCount(above[:COUNT_CAP]),
        "is_listed": Exists(listed.filter(pk=after.id)),
    }
    if not filters.tab:
        failed = _failed(filters).apply(jobs)
        wanted["next_failed"] = Subquery(sort(failed, filters.ordering, after).values("pk")[:1])
    # any row carries them
    row = Organization.objects.order_by("pk").values_list(*wanted.values()).first()
    return dict(zip(wanted, row or (), strict=True))


def _search(filters: JobFilter, jobs: QuerySet[Job], after: Place) -> dict[str, Any]:
    def find(filters: JobFilter, ordering: Ordering) -> int | None:
        rows = filters.apply_without_condition(jobs).only("pk")
        found = bounded.find_first(rows, filters.condition, ordering, after)
        return found.pk if found else None

    return {
        "previous": find(filters, filters.ordering.turned()),
        "next": find(filters, filters.ordering),
        "next_failed": None if filters.tab else find(_failed(filters), filters.ordering),
    }


def _failed(filters: JobFilter) -> JobFilter:
    """The failures among the jobs of a list of all statuses, in the order of that list."""
    return replace(filters, status=frozenset({JobStatus.FAILED}), sort=filters.ordering)
