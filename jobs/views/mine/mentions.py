"""What notes mention a member in, and whom a note can mention."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from jobs.models import Mention
from jobs.models.mirror.job import HEAVY_COLUMNS
from jobs.notes.mentions import find_members, mark_read
from jobs.query.parameters import MAX_TEXT
from jobs.query.references import has_control_characters, read_id
from jobs.views.notes.notes import note_url
from jobs.views.shared.layout import render_page
from organizations.access import Access, requires
from organizations.permissions import Permission

LISTED = 50


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.READ)
def mentions(request: HttpRequest, access: Access) -> HttpResponse:
    """The member's own, newest first; a POST marks all of them as read."""
    path = reverse("jobs:mentions", args=[access.organization.slug])
    if request.method == "POST":
        mark_read(access.member_id)
        messages.success(request, "All mentions are marked as read.")
        return redirect(path)
    found = Mention.objects.of_member(access.member_id).order_by("-note")
    before = read_id(request.GET.get("before", ""))
    if before is not None:
        found = found.filter(note__lt=before)
    found = found.select_related(
        *("note__author", "note__token", "note__job", "note__error_group")
    ).defer(*(f"note__job__{column}" for column in HEAVY_COLUMNS))
    rows = list(found[: LISTED + 1])
    context = {
        "mentions": [(row, note_url(access, row.note)) for row in rows[:LISTED]],
        "older_url": f"{path}?before={rows[LISTED - 1].note_id}" if len(rows) > LISTED else "",
        "newer_url": path if before is not None else "",
    }
    return render_page(request, access, "jobs/notes/mentions.html", context, section="mentions")


@require_safe
@requires(Permission.NOTES)
def member_options(request: HttpRequest, access: Access) -> HttpResponse:
    """The members that what follows an `@`, as `q`, may become."""
    typed = request.GET.get("q", "")[:MAX_TEXT]
    is_text = not has_control_characters(typed)
    members = find_members(access.organization, typed) if is_text else []
    return render(request, "jobs/notes/_member_options.html", {"members": members})
