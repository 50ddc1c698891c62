"""Lists of jobs as figures: how many jobs a list has, and since when.

The parameters of a list give both its URL and its jobs, so a figure is what its link shows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet, Subquery
from django.urls import reverse

from jobs.models import Job
from jobs.query.counts import COUNT_CAP, Count, RowCount
from jobs.query.jobs import JobFilter
from jobs.query.paging.orderings import Ordering
from jobs.query.visibility import Visibility
from organizations.models import Organization


@dataclass(frozen=True, slots=True)
class JobList:
    """`params` are those of the job list's URL; `at` is the time of the job that it begins with
    when sorted like that: the latest end, say, or the earliest creation.
    """

    params: Mapping[str, str | Sequence[str]]
    at: Ordering

    def url(self, organization: Organization) -> str:
        path = reverse("jobs:list", args=[organization.slug])
        return f"{path}?{urlencode(self.params, doseq=True)}"

    def jobs(self, visible: Visibility) -> QuerySet[Job]:
        params = {
            name: [value] if isinstance(value, str) else list(value)
            for name, value in self.params.items()
        }
        return JobFilter.parse(params, visible).apply(visible.jobs())


@dataclass(frozen=True, slots=True)
class Figure:
    """How many jobs the list at `url` has, and `at`, a time of one of them: see JobList."""

    count: Count
    url: str
    at: datetime | None


def measure(
    lists: Mapping[str, JobList], visible: Visibility, cap: int = COUNT_CAP
) -> dict[str, Figure]:
    """Count each list, up to `cap`. One query, and what reading the parameters takes."""
    values: list[Subquery[Any]] = []
    for job_list in lists.values():
        jobs = job_list.jobs(visible)
        time = job_list.at.expression
        first = time.desc() if job_list.at.descending else time.asc()
        values.append(RowCount(jobs.order_by().values("pk")[: cap + 1]))
        values.append(Subquery(jobs.order_by(first).values_list(time)[:1]))
    organization = visible.organization
    found = Organization.objects.filter(pk=organization.pk).values_list(*values).get()
    return {
        name: Figure(Count(min(number, cap), number > cap), job_list.url(organization), at)
        for (name, job_list), number, at in zip(lists.items(), found[::2], found[1::2], strict=True)
    }
