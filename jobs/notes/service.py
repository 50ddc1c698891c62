"""Writing, changing and deleting notes; each with its audit entry, in one transaction.

The entry says which note, whose, and whom it mentions, but never what it says: the audit log keeps
everything, and what is deleted is to be gone.
"""

from django.db import transaction
from django.utils import timezone

from jobs.models import Job, JobErrorGroup, Note
from jobs.notes.mentions import save_mentions
from jobs.notes.text import clean_text
from organizations.models import Actor, ApiToken, AuditEntry, User
from organizations.people.members import lock_people

DELETED = "The note was deleted meanwhile. Copy the text to keep it in a new one."
# What actions on them begin with in the audit log
_NOUNS = {Job: "job", JobErrorGroup: "error_group"}


def write_note(subject: Job | JobErrorGroup, text: str, *, actor: Actor) -> Note:
    """Add a note; the members whom it mentions find it among their mentions.

    One on an error that was merged is on the error that it is a part of. Raises ValueError with a
    sentence for a text that is none.
    """
    text = clean_text(text)
    is_job = isinstance(subject, Job)
    with transaction.atomic():
        # so that nobody who is mentioned leaves meanwhile
        lock_people(subject.organization)
        note = Note.objects.create(
            organization=subject.organization,
            job_id=subject.pk if is_job else None,
            error_group_id=None if isinstance(subject, Job) else subject.root_id,
            author=actor if isinstance(actor, User) else None,
            token=actor if isinstance(actor, ApiToken) else None,
            author_name=actor.email if isinstance(actor, User) else actor.reference,
            text=text,
        )
        save_mentions(note)
        _record(note, "note_added", actor)
    return note


def edit_note(note: Note, text: str, *, by: User) -> None:
    """Change the text. The same again changes nothing.

    Raises ValueError with a sentence for a text that is none, or where the note was deleted
    meanwhile.
    """
    text = clean_text(text)
    with transaction.atomic():
        lock_people(note.organization)
        current = _lock(note)
        if current is None:
            raise ValueError(DELETED)
        if current.text == text:
            return
        current.text, current.edited_at = text, timezone.now()
        current.save(update_fields=["text", "edited_at"])
        save_mentions(current)
        _record(current, "note_changed", by)


def delete_note(note: Note, *, by: User) -> None:
    """Twice is once."""
    with transaction.atomic():
        current = _lock(note)
        if current is None:
            return
        _record(current, "note_deleted", by)
        current.delete()


def _lock(note: Note) -> Note | None:
    notes = Note.objects.select_for_update(no_key=True, of=("self",))
    found = notes.select_related("organization", "job", "error_group", "author", "token")
    return found.filter(pk=note.pk).first()


def _record(note: Note, verb: str, actor: Actor) -> None:
    subject = note.subject
    mentioned = note.mentions.order_by("pk").values_list("membership__user__email", flat=True)
    AuditEntry.record(
        note.organization,
        f"{_NOUNS[type(subject)]}.{verb}",
        subject,
        actor=actor if isinstance(actor, User) else None,
        token=actor if isinstance(actor, ApiToken) else None,
        details={"note": note.pk, "author": note.writer, "mentioned": list(mentioned)},
    )
