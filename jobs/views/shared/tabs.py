"""The tabs of the job list, with the number of jobs behind each."""

from dataclasses import dataclass
from typing import Any

from jobs.models.mirror.job import JobQuerySet
from jobs.query.counts import Count, count_found, shared_tab_counts, total
from jobs.query.jobs import JobFilter
from providers.core.status import JobStatus

# Tabs that are always there; the other statuses only get one when they have a job or are asked for.
USUAL_TABS = (JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.FAILED, JobStatus.SUCCEEDED)


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    url: str
    # None where counting would be slow
    count: Count | None
    is_current: bool


def tabs_context(
    jobs: JobQuerySet, filters: JobFilter, path: str, revision: str, *, is_poll: bool = False
) -> dict[str, Any]:
    """The tabs, the number of jobs found, and on the failed tab the switch for retried ones.

    `revision` stands for the accounts' revisions as they were read before.
    """
    counts = shared_tab_counts(jobs, filters, revision, is_poll=is_poll) or {}

    def url(status: str | None, unresolved: str | None = None) -> str:
        # each status has an order of its own
        return f"{path}?{filters.query(status=status, unresolved=unresolved, sort=None)}"

    def tab(status: JobStatus) -> Tab:
        unresolved = "true" if status == JobStatus.FAILED else None
        is_current = filters.tab == {status}
        count = counts.get(status.value)
        return Tab(status.value, url(status.value, unresolved), count, is_current)

    shown = [tab(status) for status in JobStatus if status not in USUAL_TABS]
    is_failed = filters.tab == {JobStatus.FAILED}
    return {
        "tabs": [
            Tab("all", url(None), total(counts.values()) if counts else None, not filters.tab),
            *map(tab, USUAL_TABS),
            *(one for one in shown if one.is_current or (one.count and one.count.value)),
        ],
        "found": count_found(filters, counts) if counts else None,
        "retried": _retried_switch(filters, counts, path) if is_failed else None,
    }


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether the failed tab shows failures that a retry has fixed; `url` turns it."""

    is_on: bool
    url: str
    count: Count | None


def _retried_switch(filters: JobFilter, counts: dict[str, Count], path: str) -> Switch:
    is_on = filters.unresolved is not True
    query = filters.query(status="failed", unresolved="true" if is_on else None)
    return Switch(is_on, f"{path}?{query}", counts.get("resolved"))
