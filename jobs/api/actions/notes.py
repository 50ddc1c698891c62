"""`/jobs/{id}/notes`, and what `/errors/{id}/notes` shares with it."""

from typing import Any

from django.conf import settings
from ninja import Query, Status
from pydantic import BaseModel

from jobs.api.actions.jobs import router
from jobs.api.auth import ApiRequest, TokenAuth
from jobs.api.errors import READ_REFUSALS, ErrorBody, invalid
from jobs.api.jobs import find_job
from jobs.api.list_parameters import read_filters
from jobs.api.schemas.notes import NoteList, NoteRequest, NoteShape
from jobs.api.schemas.parameters import Cursor, Limit
from jobs.models import Job, JobErrorGroup, Note
from jobs.notes.listing import NoteFilter
from jobs.notes.service import write_note
from organizations.permissions import Permission

LIST_ANSWERS: dict[Any, Any] = {200: NoteList, 422: ErrorBody, **READ_REFUSALS}
WRITE_ANSWERS: dict[Any, Any] = {
    201: NoteShape,
    **dict.fromkeys((400, 401, 403, 404, 413, 415, 422, 429), ErrorBody),
}


class NoteParameters(BaseModel):
    """Documents the query string; NoteFilter reads it."""

    limit: Limit = ""
    cursor: Cursor = ""


@router.get("/{job_id}/notes", response=LIST_ANSWERS, summary="List the notes on a job")
def list_job_notes(
    request: ApiRequest, job_id: str, parameters: Query[NoteParameters]
) -> dict[str, Any]:
    """What people and tokens wrote about the job, newest first."""
    return list_notes(request, find_job(request, job_id))


@router.post(
    "/{job_id}/notes",
    auth=TokenAuth(Permission.NOTES),
    response=WRITE_ANSWERS,
    summary="Write a note on a job",
)
def write_job_note(request: ApiRequest, job_id: str, body: NoteRequest) -> Status[dict[str, Any]]:
    """Add a note in the name of the token. Members whom it mentions see it on the board."""
    return add_note(request, find_job(request, job_id), body)


def list_notes(request: ApiRequest, subject: Job | JobErrorGroup) -> dict[str, Any]:
    try:
        notes, following = read_filters(NoteFilter, request).page(subject)
    except ValueError as error:
        raise invalid({"cursor": str(error)}) from error
    return {"results": [_shape(request, note) for note in notes], "next": following}


def add_note(
    request: ApiRequest, subject: Job | JobErrorGroup, body: NoteRequest
) -> Status[dict[str, Any]]:
    note = write_note(subject, body.text, actor=request.auth)
    return Status(201, _shape(request, Note.objects.with_people().get(pk=note.pk)))


def _shape(request: ApiRequest, note: Note) -> dict[str, Any]:
    place = f"jobs/{note.job_id}" if note.job_id else f"errors/{note.error_group_id}"
    path = f"{request.auth.organization.path}{place}/#note-{note.pk}"
    return {
        "id": note.pk,
        "text": note.text,
        "author": note.writer,
        "mentions": [mention.membership.user.email for mention in note.mentions.all()],
        "created_at": note.created_at,
        "edited_at": note.edited_at,
        "html_url": f"{settings.BASE_URL}{path}",
    }
