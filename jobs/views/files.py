"""Files of all accounts: what the jobs made, with a way to open or play each."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from jobs.media.playback import PLAYED, Opening, opening
from jobs.models import Output, ProviderAccount
from jobs.models.mirror.output import kind_choices, output_status_choices
from jobs.query.files import FileFilter
from jobs.query.paging import keyset
from jobs.query.paging.keyset import KeysetPage
from jobs.query.visibility import Visibility
from jobs.views.shared.filter_form import account_selects, filter_form, spans
from jobs.views.shared.first_page import redirect_to_first_page
from jobs.views.shared.layout import HtmxRequest, layout_context
from organizations.access import Access, requires
from organizations.permissions import Permission
from providers.core.status import OutputStatus

HEIGHTS = (240, 360, 480, 720, 1080, 2160)


@dataclass(frozen=True, slots=True)
class FileRow:
    """A file with what can be done with it now."""

    output: Output
    opening: Opening
    can_play: bool


@require_safe
@requires(Permission.READ)
def file_list(request: HtmxRequest, access: Access) -> HttpResponse:
    filters = FileFilter.parse(request.GET, Visibility(access.organization))
    files = Output.objects.for_organization(access.organization).for_list()
    try:
        page = keyset.page(
            filters.apply(files), filters.ordering, filters.limit, filters.cursor, filters.scope
        )
    except ValueError:
        return redirect_to_first_page(request, filters)
    context = {"access": access, "filters": filters, **_results(page, filters, request.path)}
    if request.htmx and not request.htmx.history_restore_request:
        return render(request, "jobs/files/_results.html", context)
    context |= layout_context(access, "files")
    context |= _form(filters, [state.account for state in context["health"]], request.path)
    return render(request, "jobs/files/files.html", context)


def _results(page: KeysetPage[Output], filters: FileFilter, path: str) -> dict[str, Any]:
    return {
        "rows": [_row(output) for output in page.rows],
        "list_url": path,
        "newer_url": page.previous and f"{path}?{filters.query(cursor=page.previous)}",
        "older_url": page.next and f"{path}?{filters.query(cursor=page.next)}",
    }


def _row(output: Output) -> FileRow:
    plays = output.is_web and output.kind in PLAYED and output.status == OutputStatus.SUCCEEDED
    opens = opening(output)
    return FileRow(output, opens, can_play=plays and opens.is_offered)


def _form(filters: FileFilter, accounts: list[ProviderAccount], path: str) -> dict[str, Any]:
    given = dict(filters.params())
    offered = {
        **account_selects(accounts),
        "kind": ("Kind", "All except images", kind_choices()),
        "status": ("Status", "Any", output_status_choices()),
        "min_height": ("Height", "Any", [(str(one), f"{one} px or more") for one in HEIGHTS]),
        "created_after": ("Created", "Any time", spans(given.get("created_after", ""))),
    }
    return filter_form(
        filters, path, offered, accounts, placeholder="File, job or id", presets=filters.presets
    )
