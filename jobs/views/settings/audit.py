"""The audit log: who did what, when and from where; with search, and as CSV."""

from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from jobs.display.csv_text import write_csv
from jobs.query.paging import keyset
from jobs.query.visibility import Visibility
from jobs.views.settings.audit_filter import NEWEST_FIRST, AuditFilter
from jobs.views.settings.audit_groups import find_first, group
from jobs.views.settings.sections import render_settings
from jobs.views.shared.audit_rows import PAGES, read_larger
from jobs.views.shared.filter_form import Chip, filter_form, spans
from jobs.views.shared.first_page import redirect_to_first_page
from jobs.views.shared.layout import HtmxRequest
from organizations.access import Access, requires
from organizations.models import AuditEntry
from organizations.permissions import Permission

EXPORT_BATCH = 500
# What actions begin with
OBJECTS = (
    ("job", "Jobs"),
    ("error_group", "Errors"),
    ("bulk", "Bulk actions"),
    ("batch", "Batches"),
    ("account", "Accounts"),
    ("template", "Templates"),
    ("retry_rule", "Retry rules"),
    ("destination", "Sources and destinations"),
    ("token", "API tokens"),
    ("member", "Members"),
    ("invitation", "Invitations"),
    ("user", "Users"),
    ("second_factor", "Second factors"),
    ("organization", "Organization"),
    ("audit", "Audit log"),
)
# Conditions that a row's links set, and the form has no field for
CHIPS = (("who", "By"), ("action", "Action"), ("from", "From"), ("action_id", "Action id"))
COLUMNS = (
    *("at", "who", "from", "action", "object", "object_kind", "object_id"),
    *("before", "after", "details", "reason", "action_id"),
)


@require_safe
@requires(Permission.AUDIT)
def audit(request: HtmxRequest, access: Access) -> HttpResponse:
    filters = _read(request, access)
    try:
        first = find_first(access, filters)
        page = keyset.page(first, NEWEST_FIRST, filters.limit, filters.cursor, filters.scope)
    except ValueError:
        return redirect_to_first_page(request, filters)
    path = request.path
    context = {
        "access": access,
        "filters": filters,
        "list_url": path,
        "groups": group(access, filters, page.rows),
        "newer_url": page.previous and f"{path}?{filters.query(cursor=page.previous)}",
        "older_url": page.next and f"{path}?{filters.query(cursor=page.next)}",
        "export_query": filters.query(limit=None),
        "larger": _larger(access, filters) if page.rows else None,
    }
    context |= _form(filters, path)
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "jobs/settings/_audit_results.html", context)
    return render_settings(request, access, "audit", "jobs/settings/audit.html", context)


@require_safe
@requires(Permission.AUDIT)
def audit_export(request: HttpRequest, access: Access) -> StreamingHttpResponse:
    """All that the filters find, streamed as CSV; nothing where they cannot be read."""
    filters = _read(request, access)
    entries = filters.apply(AuditEntry.objects.for_organization(access.organization))
    name = f"audit-{access.organization.slug}-{timezone.now():%Y-%m-%d}.csv"
    return StreamingHttpResponse(
        write_csv(_export(entries)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _read(request: HttpRequest, access: Access) -> AuditFilter:
    return AuditFilter.parse(request.GET, Visibility(access.organization))


def _larger(access: Access, filters: AuditFilter) -> dict[str, str] | None:
    """The page of the batch, template and the like whose entries are listed."""
    named = read_larger(filters.action_id)
    if named is None:
        return None
    larger, pk = named
    url = reverse(PAGES[larger.kind], args=[access.organization.slug, pk])
    return {"url": url, "label": larger.label}


def _form(filters: AuditFilter, path: str) -> dict[str, Any]:
    given = dict(filters.params())
    offered = {
        "object": ("Object", "Any", list(OBJECTS)),
        "created_after": ("When", "Any time", spans(given.get("created_after", ""))),
    }
    form = filter_form(
        filters,
        path,
        offered,
        [],
        placeholder="Search the audit log by person, object, address or id",
    )
    form["chips"] = [
        Chip(f"{label}: {given[name]}", f"{path}?{filters.query(**{name: None})}")
        for name, label in CHIPS
        if name in given
    ]
    return form


def _export(entries: Any) -> Iterator[list[Any]]:
    """Page by page: no query runs for as long as somebody downloads."""
    yield list(COLUMNS)
    cursor: str | None = ""
    while cursor is not None:
        page = keyset.page(entries, NEWEST_FIRST, EXPORT_BATCH, cursor)
        for entry in page.rows:
            yield _cells(entry)
        cursor = page.next


def _cells(entry: AuditEntry) -> list[Any]:
    at = entry.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    target = (entry.target, entry.target_kind, str(entry.target_id or ""))
    sides = (entry.before, entry.after, entry.details)
    names = (at, entry.actor_name, entry.address, entry.action)
    return [*names, *target, *sides, entry.reason, entry.action_id]
