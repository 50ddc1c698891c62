"""Whom notes mention: finding members by what is typed, what is unread, and reading it."""

from collections.abc import Iterable

from django.db.models import Q
from django.utils import timezone

from jobs.models import Mention, Note
from jobs.notes.text import find_emails
from jobs.query.counts import RowCount
from organizations.models import Membership, Organization

SUGGESTED = 8


def find_members(organization: Organization, typed: str) -> list[Membership]:
    """Those who can sign in and whose name or address contains what follows an `@`, by name."""
    members = Membership.objects.filter(organization=organization, user__is_active=True)
    named = Q(user__name__icontains=typed) | Q(user__email__icontains=typed)
    found = members.filter(named).select_related("user")
    return list(found.order_by("user__name", "user__email")[:SUGGESTED])


def find_mentioned(note: Note) -> set[int]:
    """The members whom the text names, by id, without its author, who knows the note.

    Addresses of others are only text. One query if there is any address.
    """
    emails = find_emails(note.text)
    if not emails:
        return set()
    members = Membership.objects.filter(
        organization=note.organization_id, user__email__in=emails, user__is_active=True
    )
    return set(members.exclude(user=note.author_id).values_list("pk", flat=True))


def save_mentions(note: Note) -> None:
    """Have the rows say what the text does; whoever was mentioned before stays as they were."""
    mentioned = find_mentioned(note)
    known = set(note.mentions.values_list("membership", flat=True))
    note.mentions.filter(membership__in=known - mentioned).delete()
    Mention.objects.bulk_create(
        Mention(note=note, membership_id=pk) for pk in sorted(mentioned - known)
    )


def unread_of(member_id: int | None) -> RowCount:
    """A column: how many mentions of the member are unread, the same in each row."""
    return RowCount(Mention.objects.of_member(member_id).unread().order_by().values("pk"))


def mark_read(member_id: int | None, notes: Iterable[Note] | None = None) -> None:
    """The member has seen these notes, or all that mention them."""
    mentions = Mention.objects.of_member(member_id).unread()
    if notes is not None:
        mentions = mentions.filter(note__in=[note.pk for note in notes])
    mentions.update(read_at=timezone.now())
