"""What every page of the board shares: the layout around it, and how current its data is."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from jobs.accounts.freshness import Freshness, HealthStatus, fingerprint, freshness
from jobs.actions.end_notices import notices_of, read_notices
from jobs.models import BulkAction, GroupState, Job, JobErrorGroup, ProviderAccount
from jobs.models.work import LongWorkQuerySet
from jobs.notes.mentions import unread_of
from jobs.query.counts import RowCount
from jobs.views.shared.view_links import view_links
from organizations.access import Access
from organizations.models import Organization

# What a browser sends of a list's query, and as much of it as a link should hold.
_QUERY = re.compile(r"[\w%&=+.~:*!'(),;/?@$-]{1,2000}", re.ASCII)
# the same within another query, where each such character may take three
MAX_LIST_QUERY = 6_000

# The header names each account up to here; beyond, those alone that are not fine.
MAX_NAMED = 6


class HtmxRequest(HttpRequest):
    """A request as django-htmx's middleware leaves it."""

    htmx: HtmxDetails


def freshness_of(organization: Organization, **columns: Any) -> list[Freshness]:
    """Each account of the organization with its state, by name; one query, no secrets loaded.

    `columns` are further ones of the accounts, by name.
    """
    now = timezone.now()
    return [freshness(account, now) for account in health_accounts(organization, **columns)]


def health_accounts(organization: Organization, **columns: Any) -> QuerySet[ProviderAccount]:
    """What `freshness_of` asks."""
    accounts = ProviderAccount.objects.for_organization(organization).for_health()
    return accounts.annotate(**columns).order_by("name", "pk")


@dataclass(frozen=True, slots=True)
class SearchBox:
    """The one search box of a page. On a list it narrows that list, and `kept` holds the other
    filters; elsewhere it leads to the jobs.
    """

    action: str
    placeholder: str
    text: str = ""
    kept: Sequence[tuple[str, str]] = ()
    # the list that follows what is typed
    list_url: str = ""
    # whether it takes the query language
    is_query: bool = False


def job_search(access: Access) -> SearchBox:
    action = reverse("jobs:search", args=[access.organization.slug])
    return SearchBox(action, "Search jobs by name, file, error or id", is_query=True)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One cause that concerns one or more accounts, for one banner."""

    status: HealthStatus
    reason: str
    states: Sequence[Freshness]


def layout_context(access: Access, section: str, view: str = "") -> dict[str, Any]:
    """What the layout around a page needs; `section` is the entry of the navigation.

    `view` is the id of the saved view that the page shows.
    """
    return {
        "access": access,
        "section": section,
        "views": view_links(access, view),
        "jobs_url": reverse("jobs:list", args=[access.organization.slug]),
        "search": job_search(access),
        **_health_and_counts(access),
    }


def _health_and_counts(access: Access) -> dict[str, Any]:
    """The accounts' health and the counts beside the navigation, in one query."""
    groups = JobErrorGroup.objects.for_organization(access.organization).roots()
    counted: dict[str, QuerySet[Any]] = {
        "new_errors": groups.marked(timezone.now()),
        "my_errors": groups.filter(assignee=access.member_id, state=GroupState.OPEN),
        "bulk_running": running_bulk(access.organization),
        # a member is one of this organization alone, so that the index of assignees does
        "my_failures": Job.objects.filter(assignee=access.member_id, is_unresolved=True),
    }
    counts = {name: RowCount(rows.order_by().values("pk")) for name, rows in counted.items()}
    noted = {"notices": notices_of(access.member_id), "mentions": unread_of(access.member_id)}
    states = freshness_of(access.organization, **counts, **noted)
    return {
        **health_context(states),
        **{name: column_of(states, name) or 0 for name in counts},
        "notices": read_notices(*(column_of(states, name) for name in noted)),
    }


def running_bulk(organization: Organization) -> LongWorkQuerySet[BulkAction]:
    """The bulk actions that the sidebar counts."""
    return BulkAction.objects.for_organization(organization).running()


def column_of(states: list[Freshness], name: str) -> Any:
    """What was read together with the accounts; None where there are none."""
    return states[0].account.__dict__[name] if states else None


def health_context(states: list[Freshness]) -> dict[str, Any]:
    """What the header and the banners say of the accounts, on a page and after a poll."""
    fine = [state for state in states if state.status == HealthStatus.OK]
    is_long = len(states) > MAX_NAMED
    synced = [state.synced_at for state in fine or states if state.synced_at]
    return {
        "health": states,
        "health_named": [one for one in states if one not in fine] if is_long else states,
        "health_fine": len(fine) if is_long else 0,
        "health_fingerprint": fingerprint(states),
        # the oldest: of no account that is fine is less known
        "synced_at": min(synced, default=None),
        "alarms": _alarms(states),
    }


def _alarms(states: list[Freshness]) -> list[Alarm]:
    alarming = sorted(
        (state for state in states if state.is_alarming), key=lambda one: (one.status, one.reason)
    )
    return [
        Alarm(status, reason, list(found))
        for (status, reason), found in groupby(alarming, key=lambda one: (one.status, one.reason))
    ]


def list_query(request: HttpRequest, access: Access) -> str | None:
    """The query string of the job list that one comes from; None where that is not known.

    A job's page has it as `list` in its URL, once somebody went from one job to the next or did
    something, and so have its forms. The Referer gives no more than the query, which goes behind
    our own path.
    """
    for given in (request.POST, request.GET):
        if "list" in given:
            return _read_query(given["list"])
    path = reverse("jobs:list", args=[access.organization.slug])
    page, _, query = request.headers.get("Referer", "").partition("?")
    if page.endswith(path):
        return _read_query(query)
    # after an action one comes from the job's own page
    is_job = page.rstrip("0123456789/").endswith(path.rstrip("/"))
    found = QueryDict(query[:MAX_LIST_QUERY]).get("list") if is_job else None
    return None if found is None else _read_query(found)


def _read_query(text: str) -> str | None:
    return text if not text or _QUERY.fullmatch(text) else None


def render_page(
    request: HttpRequest,
    access: Access,
    template: str,
    context: dict[str, Any],
    *,
    section: str,
    status: int = 200,
) -> HttpResponse:
    """Render a page inside the layout."""
    return render(request, template, layout_context(access, section) | context, status=status)
