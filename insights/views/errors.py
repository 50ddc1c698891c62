"""The list of error groups."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from insights.errors.listing import FIXERS, ErrorFilter, TabCounts, count_tabs, read_page
from insights.views.rows import build_rows
from jobs.forms.assignment import list_members
from jobs.query.visibility import Visibility
from jobs.views.shared.filter_form import account_menus, filter_form
from jobs.views.shared.layout import HtmxRequest, job_search, layout_context
from organizations.access import Access, requires
from organizations.permissions import Permission

SECTION = "errors"
# Members to choose from; a URL may name any other.
MAX_OFFERED = 50
# by name: the parameters of each tab
TABS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "open": {"state": ["open"]},
    "new": {"mark": ["new"]},
    "returned": {"mark": ["returned"]},
    "muted": {"state": ["muted"]},
    "resolved": {"state": ["resolved"]},
    "all": {"state": ["open", "muted", "resolved"]},
}


@dataclass(frozen=True, slots=True)
class Tab:
    name: str
    url: str
    count: int
    is_current: bool


@require_safe
@requires(Permission.READ)
def error_list(request: HtmxRequest, access: Access) -> HttpResponse:
    visible = Visibility(access.organization, member_id=access.member_id)
    now = timezone.now()
    given = request.GET.copy()
    if not {"state", "mark"} & given.keys():
        given["state"] = "open"
    filters = ErrorFilter.parse(given, visible)
    seen = filters.narrow(visible)
    groups, totals, following = read_page(seen, filters, now)
    context = layout_context(access, SECTION)
    accounts = {state.account.pk: state.account for state in context["health"]}
    for group in groups:
        group.organization = access.organization
    counts = count_tabs(seen, now)
    context |= {
        "filters": filters,
        "rows": build_rows(groups, totals, seen, accounts, now),
        "tabs": list(_tabs(filters, request.path, counts)),
        "newer_url": filters.offset and f"{request.path}?{filters.query()}",
        "older_url": following and f"{request.path}?{filters.query(cursor=str(following))}",
    }
    context |= _form(access, filters, list(accounts.values()), request)
    return render(request, "insights/errors/errors.html", context)


def _tabs(filters: ErrorFilter, path: str, counts: TabCounts) -> Iterator[Tab]:
    given = {
        name: {text for key, text in filters.given if key == name} for name in ("state", "mark")
    }
    for name, params in TABS.items():
        values = {key: params.get(key) for key in given}
        is_current = {key: set(texts or ()) for key, texts in values.items()} == given
        url = f"{path}?{filters.query(**values)}"
        yield Tab(name, url, getattr(counts, name), is_current)


def _assignees(access: Access) -> list[tuple[str, str]]:
    others = list_members(access.organization).exclude(pk=access.member_id)[:MAX_OFFERED]
    return [("me", "Me"), *((one.user.email, one.user.display_name) for one in others)]


def _form(
    access: Access, filters: ErrorFilter, accounts: list[Any], request: HttpRequest
) -> dict[str, Any]:
    offered: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
        **account_menus(accounts),
        "assigned": ("Assigned to", "Anybody", _assignees(access)),
        "fixer": ("Who can fix it", "Anybody", [(name, text) for name, text in FIXERS.items()]),
    }
    form = filter_form(
        filters, request.path, offered, accounts, placeholder=job_search(access).placeholder
    )
    # the tabs are no filters of the bar, and the search box is for jobs
    form["chips"] = []
    del form["search"]
    return form
