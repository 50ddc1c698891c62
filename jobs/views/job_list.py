"""The job list: its rows, tabs, headings and filters."""

from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.accounts.freshness import describe_list
from jobs.models import Job, ProviderAccount
from jobs.query import arrivals
from jobs.query.jobs import JobFilter
from jobs.query.paging.keyset import KeysetPage
from jobs.query.paging.orderings import SORT_TIMES
from jobs.query.visibility import Visibility
from jobs.stuck.time_left import times_left
from jobs.submission.waiting import note_waiting
from jobs.views.batches.batches import BatchRow, read_rows
from jobs.views.shared.columns import add_accounts, columns_context, load_rows
from jobs.views.shared.filter_form import account_menus, filter_form, spans
from jobs.views.shared.first_page import redirect_to_first_page
from jobs.views.shared.job_filters import mark_error, read_job_filters, read_last_filters
from jobs.views.shared.layout import HtmxRequest, job_search, layout_context
from jobs.views.shared.tabs import tabs_context
from jobs.views.shared.view_links import shown_view
from organizations.access import Access, requires
from organizations.permissions import Permission
from providers.core.errors import CLASSES
from providers.core.status import JobStatus


@require_safe
@requires(Permission.READ)
def job_list(request: HtmxRequest, access: Access) -> HttpResponse:
    asked = read_job_filters(request, access)
    if request.htmx and asked.search.error and not request.htmx.history_restore_request:
        # the page keeps its list, and the box says what is wrong
        return HttpResponse(status=204)
    last = read_last_filters(request, access) if asked.search.error else None
    filters = last or asked
    # the accounts' revisions are read before the jobs: what is written between is new to the page
    context = layout_context(access, "jobs", filters.view)
    context["shown"] = shown_view(context["views"], filters, filters.columns)
    accounts = [state.account for state in context["health"]]
    jobs = Job.objects.for_organization(access.organization)
    try:
        page = filters.page(load_rows(jobs, filters))
    except ValueError:
        return redirect_to_first_page(request, filters)
    add_accounts(page.rows, accounts)
    note_waiting(page.rows, timezone.now())
    context["times_left"] = times_left(page.rows, timezone.now())
    mark = arrivals.mark(accounts)
    context["batch_line"] = _batch_line(access, filters)
    tabs = tabs_context(jobs, filters, request.path, arrivals.fingerprint(mark))
    context |= {"filters": filters, "page": page, **tabs, **_results(filters, page, request.path)}
    context |= _live_marks(filters, page, mark) | _filter_form(access, filters, accounts)
    context |= columns_context(filters)
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "jobs/job_list/_results.html", context)
    context["unlisted"] = _unlisted(filters, accounts)
    # the box holds all conditions as one query
    kept = [pair for pair in filters.params() if pair[0] in ("sort", "limit", "view", "columns")]
    context["search"] = replace(context["search"], text=asked.text, kept=kept)
    context["query_error"] = mark_error(asked, keeps_list=last is not None)
    return render(request, "jobs/job_list/list.html", context)


def _batch_line(access: Access, filters: JobFilter) -> BatchRow | None:
    """The figures of the batch that the list is of, if it is of one."""
    if len(filters.batches) != 1:
        return None
    visible = Visibility(access.organization)
    found = visible.batches().filter(pk=filters.batches[0]).defer("request").first()
    return read_rows(visible, [found])[0] if found else None


def _unlisted(
    filters: JobFilter, accounts: list[ProviderAccount]
) -> list[tuple[ProviderAccount, str]]:
    """The accounts among those shown whose lists cannot be used, with what each says about it."""
    ids = filters.account_ids
    shown = [account for account in accounts if ids is None or account.pk in ids]
    return [(account, describe_list(account)) for account in shown if account.list_error]


def _results(filters: JobFilter, page: KeysetPage[Job], path: str) -> dict[str, Any]:
    return {
        "time_column": _time_column(filters, path),
        "list_path": path,
        "newer_url": page.previous and f"{path}?{filters.query(cursor=page.previous)}",
        "older_url": page.next and f"{path}?{filters.query(cursor=page.next)}",
        "first_url": f"{path}?{filters.query()}",
        "live_url": f"{path}live/?{filters.query(cursor=filters.cursor or None)}",
        "export_query": filters.query(limit=None, columns=None),
        "is_failed_tab": filters.tab == {JobStatus.FAILED},
    }


def _live_marks(filters: JobFilter, page: KeysetPage[Job], mark: str) -> dict[str, Any]:
    """What the page says to its poll. Where nothing new can come on top, it asks for none."""
    takes_new = filters.ordering.descending and not page.previous and not filters.errors
    return {"revision": arrivals.fingerprint(mark), "live_since": mark if takes_new else ""}


@dataclass(frozen=True, slots=True)
class Column:
    """A heading that sorts: `sorted` is `ascending`, `descending` or empty."""

    label: str
    url: str
    sorted: str


def _time_column(filters: JobFilter, path: str) -> Column:
    """The time that sorts the list; its heading turns the order."""
    name, descending = filters.ordering.name, filters.ordering.descending
    url = f"{path}?{filters.query(sort=name if descending else f'-{name}')}"
    return Column(name.capitalize(), url, "descending" if descending else "ascending")


def _filter_form(
    access: Access, filters: JobFilter, accounts: list[ProviderAccount]
) -> dict[str, Any]:
    given = dict(filters.params())
    offered = {
        **account_menus(accounts),
        "error": ("Error", "Any", _error_choices()),
        "created_after": ("Created", "Any time", spans(given.get("created_after", ""))),
        "finished_after": ("Finished", "Any time", spans(given.get("finished_after", ""))),
        "assigned": ("Assigned to", "Anybody", [("me", "Me")]),
        "stuck": ("Stuck", "Any", [("true", "Only stuck"), ("false", "Not stuck")]),
        "gone": ("Gone", "Any", [("true", "Only gone"), ("false", "Not gone")]),
        "sort": ("Sort by", "Default", _sort_choices(given.get("sort", ""))),
    }
    if filters.tab != {JobStatus.FAILED}:  # whose tab has a switch for it
        offered["unresolved"] = ("Unresolved", "Any", [("true", "Yes"), ("false", "No")])
    path = reverse("jobs:list", args=[access.organization.slug])
    return filter_form(
        filters,
        path,
        offered,
        accounts,
        placeholder=job_search(access).placeholder,
        presets=filters.presets,
        codes={value: value for value, _ in offered["error"][2]},
        more=("finished_after", "assigned", "stuck", "gone", "unresolved", "sort"),
        action=job_search(access).action,
    )


def _error_choices() -> list[tuple[str, str]]:
    """Families of errors, and each class by its title with its code."""
    families = sorted({name.partition(".")[0] for name in CLASSES if "." in name})
    titles = {"auth": "Credentials", "encode": "Encoding", "input": "Source",
              "output": "Destination", "quota": "Limits"}  # fmt: skip
    every = [(f"{one}.*", f"{titles.get(one, one.capitalize())}: any") for one in families]
    return [*((one.name, one.title) for one in CLASSES.values()), *every]


def _sort_choices(chosen: str) -> list[tuple[str, str]]:
    found = [(f"-{name}", name.capitalize()) for name in SORT_TIMES]
    turned = chosen if chosen in SORT_TIMES else ""
    return [*found, (turned, f"{turned.capitalize()}, earliest first")] if turned else found
