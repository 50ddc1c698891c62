"""The tabs of the job list, with the number of jobs behind each."""

from dataclasses import dataclass
from typing import Any

from jobs.models.mirror.job import JobQuerySet
from jobs.query.counts import Count, count_found, tab_counts, total
from jobs.query.jobs import JobFilter
from providers.core.status import JobStatus

# Tabs that are always there; the other statuses only get one when they have a job or are asked for.
USUAL_TABS = (JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.FAILED, JobStatus.SUCCEEDED)


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    url: str
    count: Count
    is_current: bool


def tabs_context(jobs: JobQuerySet, filters: JobFilter, path: str) -> dict[str, Any]:
    """The tabs, the number of jobs found, and on the failed tab the switch for retried ones."""
    counts = tab_counts(filters.apply_beside_tab(jobs), filters.gone)

    def url(status: str | None, unresolved: str | None = None) -> str:
        # each status has an order of its own
        return f"{path}?{filters.query(status=status, unresolved=unresolved, sort=None)}"

    def tab(status: JobStatus) -> Tab:
        unresolved = "true" if status == JobStatus.FAILED else None
        is_current = filters.tab == {status}
        return Tab(status.value, url(status.value, unresolved), counts[status.value], is_current)

    shown = [tab(status) for status in JobStatus if status not in USUAL_TABS]
    is_failed = filters.tab == {JobStatus.FAILED}
    return {
        "tabs": [
            Tab("all", url(None), total(counts.values()), not filters.tab),
            *map(tab, USUAL_TABS),
            *(one for one in shown if one.count.value or one.is_current),
        ],
        "found": count_found(filters, counts),
        "retried": _retried_switch(filters, counts, path) if is_failed else None,
    }


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether the failed tab shows failures that a retry has fixed; `url` turns it."""

    is_on: bool
    url: str
    count: Count


def _retried_switch(filters: JobFilter, counts: dict[str, Count], path: str) -> Switch:
    is_on = filters.unresolved is not True
    query = filters.query(status="failed", unresolved="true" if is_on else None)
    return Switch(is_on, f"{path}?{query}", counts["resolved"])
