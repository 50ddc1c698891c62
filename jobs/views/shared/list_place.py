"""Where a job is in the list that one comes from: its place, and the ways on."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from jobs.models import Job
from jobs.query.counts import Count, count_found, shared_tab_counts
from jobs.query.neighbours import Neighbours, find_neighbours
from jobs.views.shared.job_filters import PageFilter, read_last_filters
from jobs.views.shared.layout import list_query
from jobs.views.shared.view_links import ViewLink
from organizations.access import Access


@dataclass(frozen=True, slots=True)
class ListPlace:
    """`url` is the list as it was; `position` of `total` is None where it is not known."""

    title: str
    url: str
    position: int | None = None
    total: Count | None = None
    previous_url: str | None = None
    next_url: str | None = None
    next_failed_url: str | None = None


def job_url(request: HttpRequest, access: Access, job: Job) -> str:
    """The page of `job`, which still knows the list that one comes from."""
    query = list_query(request, access)
    path = reverse("jobs:detail", args=[access.organization.slug, job.pk])
    return path if query is None else f"{path}?{urlencode({'list': query})}"


def list_place(
    request: HttpRequest, access: Access, job: Job, views: Iterable[ViewLink], revision: str
) -> ListPlace | None:
    """None where one does not come from a list. `revision` is that of the accounts."""
    query = list_query(request, access)
    if query is None:
        return None
    path = reverse("jobs:list", args=[access.organization.slug])
    url = f"{path}?{query}" if query else path
    filters = read_last_filters(request, access)
    if filters is None:
        return ListPlace("Jobs", url)
    jobs = Job.objects.for_organization(access.organization)
    found = find_neighbours(filters, jobs, job)
    total = None
    if found.position:
        counts = shared_tab_counts(jobs, filters, revision, is_poll=True)
        total = _at_least(found.position, count_found(filters, counts)) if counts else None
    return ListPlace(
        _title(filters, views), url, found.position, total, **_urls(access, query, found)
    )


def _at_least(position: int, total: Count) -> Count:
    """The count may be some seconds old, and the position is not."""
    return total if total.value >= position else Count(position, total.capped)


def _title(filters: PageFilter, views: Iterable[ViewLink]) -> str:
    for link in views:
        if str(link.view.pk) == filters.view:
            return link.view.name
    [status] = filters.tab if len(filters.tab) == 1 else [None]
    return f"{status.value.capitalize()} jobs" if status else "Jobs"


def _urls(access: Access, query: str, found: Neighbours) -> dict[str, str | None]:
    kept = urlencode({"list": query})

    def url(pk: int | None) -> str | None:
        path = pk and reverse("jobs:detail", args=[access.organization.slug, pk])
        return f"{path}?{kept}" if path else None

    return {
        "previous_url": url(found.previous),
        "next_url": url(found.next),
        "next_failed_url": url(found.next_failed),
    }
