"""`/errors/{id}/notes`."""

from typing import Any

from ninja import Query, Status

from insights.api.errors import find_group, find_to_change, router
from jobs.api.actions.notes import (
    LIST_ANSWERS,
    WRITE_ANSWERS,
    NoteParameters,
    add_note,
    list_notes,
)
from jobs.api.auth import ApiRequest, TokenAuth
from jobs.api.schemas.notes import NoteRequest
from organizations.permissions import Permission


@router.get("/{group_id}/notes", response=LIST_ANSWERS, summary="List the notes on an error group")
def list_error_notes(
    request: ApiRequest, group_id: str, parameters: Query[NoteParameters]
) -> dict[str, Any]:
    """What people and tokens wrote about it and what was merged into it, newest first."""
    return list_notes(request, find_group(request, group_id))


@router.post(
    "/{group_id}/notes",
    auth=TokenAuth(Permission.NOTES),
    response=WRITE_ANSWERS,
    summary="Write a note on an error group",
)
def write_error_note(
    request: ApiRequest, group_id: str, body: NoteRequest
) -> Status[dict[str, Any]]:
    """Add a note in the name of the token. Members whom it mentions see it on the board."""
    return add_note(request, find_to_change(request, group_id), body)
