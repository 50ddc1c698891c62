"""The notes on an error."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from insights.views.error import find_group
from jobs.views.notes.notes import show_notes
from organizations.access import Access, requires
from organizations.permissions import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.READ, to_change=Permission.NOTES)
def error_notes(request: HttpRequest, access: Access, group_pk: int) -> HttpResponse:
    group = find_group(access, group_pk)
    if group.merged_into_id is not None and request.method != "POST":
        return redirect("insights:error_notes", access.organization.slug, group.merged_into_id)
    return show_notes(request, access, group)
