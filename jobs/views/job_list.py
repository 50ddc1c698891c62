"""The job list: its rows, tabs, headings and filters."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from jobs.models import Job, ProviderAccount
from jobs.models.job import JobQuerySet
from jobs.query import arrivals, keyset
from jobs.query.jobs import Count, JobFilter, tab_counts, total
from jobs.query.keyset import KeysetPage
from jobs.views.shared.filter_form import filter_form, place_selects, spans
from jobs.views.shared.layout import HtmxRequest, layout_context
from organizations.access import authorize
from providers.core.errors import CLASSES
from providers.core.status import JobStatus

# Tabs that are always there; the other statuses only get one when they have a job or are asked for.
USUAL_TABS = (JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.FAILED, JobStatus.SUCCEEDED)


@require_safe
def job_list(request: HtmxRequest, org: str) -> HttpResponse:
    access = authorize(request, org)
    wanted = JobFilter.parse(request.GET, access.organization)
    # the accounts' revisions are read before the jobs: what is written between is new to the page
    context = layout_context(access, "jobs")
    accounts = [state.account for state in context["health"]]
    jobs = Job.objects.for_organization(access.organization)
    page = _page(jobs.for_list(), wanted)
    if page is None:
        # a cursor from another order, or one that somebody cut short
        return redirect(f"{request.path}?{wanted.query()}")
    context |= {"wanted": wanted, "page": page, **_results(jobs, wanted, page, request.path)}
    context |= _live_marks(wanted, page, accounts)
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "jobs/job_list/_results.html", context)
    context |= _filter_form(wanted, accounts, request.path)
    return render(request, "jobs/job_list/list.html", context)


def _page(jobs: JobQuerySet, wanted: JobFilter) -> KeysetPage[Job] | None:
    try:
        return keyset.page(wanted.apply(jobs), wanted.ordering, wanted.limit, wanted.cursor)
    except ValueError:
        return None


def _results(
    jobs: JobQuerySet, wanted: JobFilter, page: KeysetPage[Job], path: str
) -> dict[str, Any]:
    return {
        **tabs_of(jobs, wanted, path),
        "columns": _columns(wanted, path),
        "second_time": second_time(wanted),
        "newer_url": page.previous and f"{path}?{wanted.query(cursor=page.previous)}",
        "older_url": page.next and f"{path}?{wanted.query(cursor=page.next)}",
        "first_url": f"{path}?{wanted.query()}",
        "live_url": f"{path}live/?{wanted.query(cursor=wanted.cursor or None)}",
        "is_failed_tab": wanted.tab == {JobStatus.FAILED},
    }


def _live_marks(
    wanted: JobFilter, page: KeysetPage[Job], accounts: list[ProviderAccount]
) -> dict[str, Any]:
    """What the page says to its poll. Where nothing new can come on top, it asks for none."""
    mark = arrivals.mark(accounts)
    takes_new = wanted.ordering.descending and not page.previous and not wanted.errors
    return {"revision": arrivals.fingerprint(mark), "live_since": mark if takes_new else ""}


@dataclass(frozen=True, slots=True)
class Tab:
    word: str
    url: str
    count: Count
    is_current: bool


def tabs_of(jobs: JobQuerySet, wanted: JobFilter, path: str) -> dict[str, Any]:
    """The tabs, the number of jobs found, and on the failed tab the switch for retried ones."""
    counts = tab_counts(wanted.apply_beside_tab(jobs), wanted.gone)

    def url(status: str | None, unresolved: str | None = None) -> str:
        # the order that suits the one status need not suit the next
        return f"{path}?{wanted.query(status=status, unresolved=unresolved, sort=None)}"

    def tab(status: JobStatus) -> Tab:
        unresolved = "true" if status == JobStatus.FAILED else None
        is_current = wanted.tab == {status}
        return Tab(status.value, url(status.value, unresolved), counts[status.value], is_current)

    shown = [tab(status) for status in JobStatus if status not in USUAL_TABS]
    is_failed = wanted.tab == {JobStatus.FAILED}
    return {
        "tabs": [
            Tab("all", url(None), total(counts.values()), not wanted.tab),
            *map(tab, USUAL_TABS),
            *(one for one in shown if one.count.value or one.is_current),
        ],
        "found": wanted.found_among(counts),
        "retried": _retried_switch(wanted, counts, path) if is_failed else None,
    }


@dataclass(frozen=True, slots=True)
class Switch:
    """Whether the failed tab shows failures that a retry has fixed; `url` turns it."""

    is_on: bool
    url: str
    count: Count


def _retried_switch(wanted: JobFilter, counts: dict[str, Count], path: str) -> Switch:
    is_on = wanted.unresolved is not True
    query = wanted.query(status="failed", unresolved="true" if is_on else None)
    return Switch(is_on, f"{path}?{query}", counts["resolved"])


@dataclass(frozen=True, slots=True)
class Column:
    """A heading that sorts: `sorted` is `ascending`, `descending` or empty."""

    word: str
    url: str
    sorted: str


def second_time(wanted: JobFilter) -> str:
    """The time beside the creation: when it started where that is the order, else its end."""
    return "started" if wanted.ordering.name == "started" else "finished"


def _columns(wanted: JobFilter, path: str) -> list[Column]:
    def column(name: str) -> Column:
        ordering = wanted.ordering
        is_sorted = ordering.name == name
        turned = name if is_sorted and ordering.descending else f"-{name}"
        direction = "descending" if ordering.descending else "ascending"
        url = f"{path}?{wanted.query(sort=turned)}"
        return Column(name.capitalize(), url, direction if is_sorted else "")

    return [column("created"), column(second_time(wanted))]


def _filter_form(wanted: JobFilter, accounts: list[ProviderAccount], path: str) -> dict[str, Any]:
    given = dict(wanted.params())
    families = sorted({name.partition(".")[0] for name in CLASSES if "." in name})
    offered = {
        **place_selects(accounts),
        "error": (
            "Error",
            "Any",
            [(name, name) for name in [*(f"{one}.*" for one in families), *sorted(CLASSES)]],
        ),
        "gone": ("Gone", "Any", [("true", "Only gone"), ("false", "Not gone")]),
        "unresolved": ("Unresolved", "Any", [("true", "Yes"), ("false", "No")]),
        "created_after": ("Created", "Any time", spans(given.get("created_after", ""))),
        "finished_after": ("Finished", "Any time", spans(given.get("finished_after", ""))),
    }
    return filter_form(
        wanted,
        path,
        offered,
        accounts,
        text_hint="Name, file, error, id",
        presets=wanted.presets,
    )
