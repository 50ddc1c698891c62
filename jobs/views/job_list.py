"""The job list: its rows, tabs, headings and filters."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs import keyset
from jobs.filters import COUNT_CAP, Count, JobFilter, status_counts
from jobs.keyset import KeysetPage
from jobs.models import Job, ProviderAccount
from jobs.models.job import JobQuerySet
from jobs.views.filter_form import filter_form, place_selects, spans
from jobs.views.page import HtmxRequest, frame
from organizations.access import authorize
from organizations.models import Organization
from providers.errors import CLASSES
from providers.status import JobStatus

# Tabs that are always there; the other statuses only get one when they have a job or are asked for.
USUAL_TABS = (JobStatus.RUNNING, JobStatus.QUEUED, JobStatus.FAILED, JobStatus.SUCCEEDED)


@require_safe
def job_list(request: HtmxRequest, org: str) -> HttpResponse:
    access = authorize(request, org)
    wanted = JobFilter.parse(request.GET, access.organization)
    jobs = Job.objects.for_organization(access.organization)
    page = _page(jobs.for_list(), wanted)
    if page is None:
        # a cursor from another order, or one that somebody cut short
        return redirect(f"{request.path}?{wanted.query()}")
    context = {
        "access": access,
        "wanted": wanted,
        "page": page,
        **_results(access.organization, wanted, page, request.path),
    }
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "jobs/_results.html", context)
    context |= frame(access, "jobs")
    context |= _filter_form(wanted, [state.account for state in context["health"]], request.path)
    return render(request, "jobs/job_list.html", context)


def _page(jobs: JobQuerySet, wanted: JobFilter) -> KeysetPage[Job] | None:
    try:
        return keyset.page(wanted.apply(jobs), wanted.ordering, wanted.limit, wanted.cursor)
    except ValueError:
        return None


def _results(
    organization: Organization, wanted: JobFilter, page: KeysetPage[Job], path: str
) -> dict[str, Any]:
    jobs = Job.objects.for_organization(organization)
    return {
        **tabs_of(jobs, wanted, path),
        "columns": _columns(wanted, path),
        "second_time": second_time(wanted),
        "newer_url": page.previous and f"{path}?{wanted.query(cursor=page.previous)}",
        "older_url": page.next and f"{path}?{wanted.query(cursor=page.next)}",
        "first_url": f"{path}?{wanted.query()}",
        "live_url": f"{path}live/?{wanted.query(cursor=wanted.cursor or None)}",
        "live_since": _newest_time(wanted, page),
        "is_failed_tab": wanted.status == {JobStatus.FAILED},
        "has_accounts": bool(page.rows) or organization.accounts.exists(),
    }


@dataclass(frozen=True, slots=True)
class Tab:
    word: str
    url: str
    count: Count
    is_current: bool


def tabs_of(jobs: JobQuerySet, wanted: JobFilter, path: str) -> dict[str, Any]:
    counts = status_counts(wanted.apply(jobs, ignore_status=True))

    def tab(status: JobStatus) -> Tab:
        # the order that suits the one status need not suit the next
        url = f"{path}?{wanted.query(status=status.value, sort=None)}"
        return Tab(status.value, url, counts[status.value], wanted.status == {status})

    total = sum(count.value for count in counts.values())
    capped = total > COUNT_CAP or any(count.capped for count in counts.values())
    everything = Tab(
        "all",
        f"{path}?{wanted.query(status=None, sort=None)}",
        Count(min(total, COUNT_CAP), capped),
        not wanted.status,
    )
    rest = [status for status in JobStatus if status not in USUAL_TABS]
    shown = [tab(status) for status in rest]
    return {
        "tabs": [
            everything,
            *map(tab, USUAL_TABS),
            *(one for one in shown if one.count.value or one.is_current),
        ],
        "found": everything.count
        if not wanted.status
        else Count(
            sum(counts[status].value for status in wanted.status),
            any(counts[status].capped for status in wanted.status),
        ),
    }


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
            "Any or none",
            [(name, name) for name in [*(f"{one}.*" for one in families), *sorted(CLASSES)]],
        ),
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


def _newest_time(wanted: JobFilter, page: KeysetPage[Job]) -> str:
    """From where on a job would stand above the first row; empty where nothing new can come."""
    if page.previous or not wanted.ordering.descending or wanted.errors:
        return ""
    first = wanted.ordering.time_of(page.rows[0]) if page.rows else timezone.now()
    return first.isoformat()
