"""Writing, changing and deleting notes."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from jobs.forms.note import NoteForm
from jobs.models import Job, JobErrorGroup, Note
from jobs.notes import service
from jobs.query.references import read_id
from jobs.views.job_detail import find_job
from jobs.views.notes.panel import may_delete, may_edit, notes_context
from jobs.views.shared.layout import render_page
from organizations.access import Access, requires
from organizations.permissions import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.READ, to_change=Permission.NOTES)
def job_notes(request: HttpRequest, access: Access, pk: int) -> HttpResponse:
    return show_notes(request, access, find_job(access, pk))


def show_notes(request: HttpRequest, access: Access, subject: Job | JobErrorGroup) -> HttpResponse:
    """All notes about it, a page at a time; a POST adds one and leads to it."""
    form = NoteForm(request.POST) if request.method == "POST" else None
    if form is not None and form.is_valid():
        note = service.write_note(subject, form.cleaned_data["text"], actor=access.user)
        return redirect(note_url(access, note))
    before = read_id(request.GET.get("before", ""))
    context: dict[str, Any] = {
        "subject": subject,
        "subject_url": subject_url(access, subject),
        "notes_url": request.path,
        "is_latest": before is None,
        **notes_context(access, subject, form=form, before=before),
    }
    section = "jobs" if isinstance(subject, Job) else "errors"
    status = 422 if form is not None else 200
    template = "jobs/notes/job_notes.html"
    return render_page(request, access, template, context, section=section, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.NOTES)
def note_edit(request: HttpRequest, access: Access, note_pk: int) -> HttpResponse:
    note = _find(access, note_pk)
    if not may_edit(access, note):
        raise PermissionDenied("Only its author can change a note.")
    posted = request.POST if request.method == "POST" else None
    form = NoteForm(posted, initial={"text": note.text})
    if posted is not None and form.is_valid():
        try:
            service.edit_note(note, form.cleaned_data["text"], by=access.user)
        except ValueError as error:
            form.add_error("text", str(error))
        else:
            return redirect(note_url(access, note))
    context = {
        "note": note,
        "note_form": form,
        "subject": note.subject,
        "subject_url": subject_url(access, note.subject),
    }
    section = "errors" if note.job is None else "jobs"
    status = 422 if form.errors else 200
    template = "jobs/notes/note_edit.html"
    return render_page(request, access, template, context, section=section, status=status)


@require_POST
@requires(Permission.NOTES)
def note_delete(request: HttpRequest, access: Access, note_pk: int) -> HttpResponse:
    note = _find(access, note_pk)
    if not may_delete(access, note):
        raise PermissionDenied("Only its author, or an owner, can delete a note.")
    service.delete_note(note, by=access.user)
    messages.success(request, "The note is deleted.")
    return redirect(f"{subject_url(access, note.subject)}#notes")


def _find(access: Access, pk: int) -> Note:
    notes = Note.objects.for_organization(access.organization)
    found = notes.select_related("organization", "job", "error_group", "author").filter(pk=pk)
    note = found.first()
    if note is None:
        raise Http404("No such note.")
    return note


def subject_url(access: Access, subject: Job | JobErrorGroup) -> str:
    name = "jobs:detail" if isinstance(subject, Job) else "insights:error"
    pk = subject.pk if isinstance(subject, Job) else subject.root_id
    return reverse(name, args=[access.organization.slug, pk])


def note_url(access: Access, note: Note) -> str:
    """Where it is on the page of what it is about."""
    return f"{subject_url(access, note.subject)}#note-{note.pk}"
