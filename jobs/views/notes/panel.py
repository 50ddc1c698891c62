"""The notes of a job or an error, on its page and on a page of their own."""

from collections.abc import Iterable
from typing import Any

from django.db.models import QuerySet

from jobs.forms.note import NoteForm
from jobs.models import Job, JobErrorGroup, Note
from jobs.notes.mentions import mark_read
from organizations.access import Access
from organizations.permissions import Permission

# The latest that a page shows at once
SHOWN = 50


def notes_context(
    access: Access,
    subject: Job | JobErrorGroup,
    *,
    form: NoteForm | None = None,
    before: int | None = None,
) -> dict[str, Any]:
    """The latest notes, oldest first, or those before the one with the id `before`.

    Whoever sees them has read what mentions them. One query; three where there are notes, and an
    update where one was unread.
    """
    found: QuerySet[Note] = Note.objects.about(subject).with_people().order_by("-pk")
    if before is not None:
        found = found.filter(pk__lt=before)
    latest = list(found[: SHOWN + 1])
    notes = latest[:SHOWN][::-1]
    _read(access, notes)
    return {
        "notes": notes,
        "has_earlier_notes": len(latest) > SHOWN,
        "note_form": form or NoteForm(),
        "editable_notes": {note.pk for note in notes if may_edit(access, note)},
        "deletable_notes": {note.pk for note in notes if may_delete(access, note)},
    }


def may_edit(access: Access, note: Note) -> bool:
    """Whether it is the member's own."""
    return access.allows(Permission.NOTES) and note.author_id == access.user.pk


def may_delete(access: Access, note: Note) -> bool:
    return may_edit(access, note) or access.allows(Permission.MODERATE)


def _read(access: Access, notes: Iterable[Note]) -> None:
    unread = [
        note
        for note in notes
        for mention in note.mentions.all()
        if mention.membership_id == access.member_id and mention.read_at is None
    ]
    if unread:
        mark_read(access.member_id, unread)
