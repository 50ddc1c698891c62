"""The filters of the audit log."""

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from django.db.models import Q

from jobs.query.list_filter import ListFilter
from jobs.query.paging.orderings import Ordering
from jobs.query.parameters import Parameters, Params
from jobs.query.visibility import Visibility
from jobs.views.shared.audit_rows import read_larger
from organizations.models.audit import AuditQuerySet

NEWEST_FIRST = Ordering("at")


@dataclass(frozen=True)
class AuditFilter(ListFilter):
    """Which entries a list shows. Made by `parse`."""

    CONDITIONS: ClassVar[tuple[str, ...]] = (
        *("q", "who", "action", "object", "from", "action_id"),
        *("created_after", "created_before"),
    )
    OTHERS: ClassVar[tuple[str, ...]] = ("limit", "cursor")

    q: str = ""
    who: str = ""
    action: str = ""
    object: str = ""
    address: str = ""
    action_id: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None

    @classmethod
    def parse(cls, params: Params, visible: Visibility) -> Self:
        """Read the query string of the audit log. No query."""
        read = cls.read(params, visible)
        return cls(
            q=read.one("q"),
            who=read.one("who"),
            action=read.one("action"),
            object=read.one("object"),
            address=_read_address(read),
            action_id=read.one("action_id"),
            created_after=read.time("created_after"),
            created_before=read.time("created_before"),
            limit=read.limit(),
            cursor=read.one("cursor"),
            given=read.given,
            errors=read.errors,
            unknown=read.unknown,
            organization_id=visible.organization.pk,
        )

    def apply(self, entries: AuditQuerySet) -> AuditQuerySet:
        """The entries that fit, not sorted."""
        if self.is_unreadable:
            return entries.none()
        exact = {
            "actor_name": self.who,
            "action": self.action,
            "address": self.address,
            # `account` is all that was done to accounts
            "action__startswith": self.object and f"{self.object}.",
            "at__gte": self.created_after,
            "at__lt": self.created_before,
        }
        found = entries.filter(**{name: value for name, value in exact.items() if value})
        if self.action_id:
            found = found.filter(_of_action(self.action_id))
        for word in self.q.split():
            found = found.filter(_about(word))
        return found


def _of_action(action_id: str) -> Q:
    """The entries of an action; with those that are about it, where it is a row such as a batch."""
    found = Q(action_id=action_id)
    if named := read_larger(action_id):
        larger, pk = named
        found |= Q(target_kind=larger.kind, target_id=pk)
    return found


def _about(word: str) -> Q:
    texts = ("actor_name", "action", "target", "reason")
    found = Q(action_id=word)
    for name in texts:
        found |= Q(**{f"{name}__icontains": word})
    return found | Q(address=word) if _is_address(word) else found


def _read_address(read: Parameters) -> str:
    text = read.one("from")
    if text and not _is_address(text):
        read.errors["from"] = "Enter an IP address."
        return ""
    return text


def _is_address(text: str) -> bool:
    try:
        # a scope, as in fe80::1%eth0, is nothing that PostgreSQL takes
        return not getattr(ipaddress.ip_address(text), "scope_id", None)
    except ValueError:
        return False
