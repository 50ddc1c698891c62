"""Entries of one larger action as one group: the first of them, and what followed from it."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db.models import Count, Exists, F, OuterRef, Window
from django.db.models.functions import RowNumber

from jobs.views.settings.audit_filter import AuditFilter
from jobs.views.shared.audit_rows import AuditRow, list_rows
from organizations.access import Access
from organizations.models import AuditEntry
from organizations.models.audit import AuditQuerySet

# How many follow the first at most; a link leads to the rest
SHOWN = 3


@dataclass(slots=True)
class AuditGroup:
    """`followers`: those that came next, oldest first; `more`: how many are not among them."""

    row: AuditRow
    followers: list[AuditRow] = field(default_factory=list)
    more: int = 0

    @property
    def entry(self) -> AuditEntry:
        return self.row.entry


def find_first(access: Access, filters: AuditFilter) -> AuditQuerySet:
    """Of each action that the filters find something of, the first entry that they find.

    All of its entries where they ask for one action.
    """
    found = filters.apply(AuditEntry.objects.for_organization(access.organization))
    if filters.action_id:
        return found
    earlier = _find(access, filters).filter(action_id=OuterRef("action_id"), pk__lt=OuterRef("pk"))
    return found.filter(~Exists(earlier))


def group(access: Access, filters: AuditFilter, first: list[AuditEntry]) -> list[AuditGroup]:
    """The rows of a page; two queries more where something followed."""
    groups = [AuditGroup(row) for row in list_rows(access, first)]
    if filters.action_id:
        return groups
    followers = defaultdict[str, list[AuditEntry]](list)
    for entry in _find_followers(access, filters, first):
        followers[entry.action_id].append(entry)
    for one in groups:
        if shown := followers.get(one.entry.action_id):
            one.followers = list_rows(access, shown)
            one.more = vars(shown[0])["total"] - len(shown)
    return groups


def _find(access: Access, filters: AuditFilter) -> AuditQuerySet:
    return filters.apply(AuditEntry.objects.filter(organization=access.organization))


def _find_followers(
    access: Access, filters: AuditFilter, first: list[AuditEntry]
) -> Iterable[AuditEntry]:
    of_action = F("action_id")
    return (
        _find(access, filters)
        .filter(action_id__in={entry.action_id for entry in first})
        .exclude(pk__in=[entry.pk for entry in first])
        .annotate(
            position=Window(RowNumber(), partition_by=of_action, order_by="pk"),
            total=Window(Count("pk"), partition_by=of_action),
        )
        .filter(position__lte=SHOWN)
        .order_by("pk")
    )
