"""What people do about error groups; each change with its audit entry, in one transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from jobs.actions.assignment import check_member
from jobs.models import GroupMark, GroupState, JobErrorGroup
from organizations.models import Actor, ApiToken, AuditEntry, Membership, User
from organizations.people.members import lock_people


class GroupRefused(Exception):
    """Not done, for the reason that `str()` gives. `code` is for the API."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def resolve(group: JobErrorGroup, *, actor: Actor) -> JobErrorGroup:
    """What failed until now is settled; a failure after this opens the group again."""
    with transaction.atomic():
        group = _lock(group)
        if group.state == GroupState.RESOLVED:
            return group
        values = {"state": GroupState.RESOLVED, "resolved_at": timezone.now(), **_UNMUTED}
        return _change(group, "resolved", values, actor)


def mute(
    group: JobErrorGroup,
    *,
    actor: Actor,
    reason: str,
    until: datetime | None = None,
    count: int | None = None,
    rate_per_hour: int | None = None,
) -> JobErrorGroup:
    """Until a time, so many failures more, or so many in an hour; without any of these for good."""
    with transaction.atomic():
        group = _lock(group)
        if group.state == GroupState.RESOLVED:
            raise GroupRefused("resolved", "It is resolved: reopen it first.")
        values = {
            "state": GroupState.MUTED,
            "muted_at": timezone.now(),
            "muted_until": until,
            "muted_count": count,
            "muted_rate_per_hour": rate_per_hour,
            "mute_reason": reason,
        }
        return _change(group, "muted", values, actor, reason=reason)


def reopen(group: JobErrorGroup, *, actor: Actor) -> JobErrorGroup:
    """End a mute or a resolution."""
    with transaction.atomic():
        group = _lock(group)
        if group.state == GroupState.OPEN:
            return group
        return _change(group, "reopened", {"state": GroupState.OPEN, **_UNMUTED}, actor)


def save_ticket(group: JobErrorGroup, ticket_url: str, *, user: User) -> JobErrorGroup:
    """An empty URL: there is no ticket."""
    with transaction.atomic():
        group = _lock(group)
        if group.ticket_url == ticket_url:
            return group
        return _change(group, "ticket_changed", {"ticket_url": ticket_url}, user)


def assign(group: JobErrorGroup, member: Membership | None, *, actor: Actor) -> JobErrorGroup:
    """Have `member` look after the group, or nobody.

    Raises AssignmentRefused for somebody who is no member, or not any more.
    """
    with transaction.atomic():
        # so that nobody leaves meanwhile
        lock_people(group.organization)
        group = _lock(group)
        if group.assignee_id == (member and member.pk):
            return group
        if member is not None:
            check_member(member, group.organization_id)
        action = "assigned" if member else "unassigned"
        return _change(group, action, {"assignee": member}, actor)


def merge(group: JobErrorGroup, into: JobErrorGroup, *, user: User) -> JobErrorGroup:
    """Show `group`, with what was merged into it, as a part of `into`, which is returned.

    Its jobs stay its own, so that `split` can undo it.
    """
    with transaction.atomic():
        both = [group.pk, into.pk]
        locked = _locked(group.organization_id).filter(Q(pk__in=both) | Q(merged_into__in=both))
        rows = {row.pk: row for row in locked.order_by("pk")}
        group, into = rows[group.pk], rows[into.pk]
        if group.merged_into_id or into.merged_into_id or group == into:
            raise GroupRefused("merged", "It has just been merged: reload the page.")
        moved = [pk for pk, row in rows.items() if group.pk in (pk, row.merged_into_id)]
        JobErrorGroup.objects.filter(pk__in=moved).update(merged_into=into)
        details = {"into": str(into), "into_id": into.pk}
        _record(group, "merged", user, after=details)
        _record(into, "extended", user, after={"with": str(group), "with_id": group.pk})
        return into


def split(group: JobErrorGroup, *, user: User) -> JobErrorGroup:
    """Undo a merge: the group is shown on its own again, as it was before."""
    with transaction.atomic():
        group = _lock(group)
        if group.merged_into_id is None:
            return group
        return _change(group, "split", {"merged_into": None}, user)


_UNMUTED: Mapping[str, Any] = {
    **dict.fromkeys(("muted_at", "muted_until", "muted_count", "muted_rate_per_hour")),
    "mute_reason": "",
}
_RECORDED = ("state", "muted_until", "muted_count", "muted_rate_per_hour", "ticket_url")


def _locked(organization_id: int) -> Any:
    return JobErrorGroup.objects.select_for_update(of=("self",)).filter(
        organization_id=organization_id
    )


def _lock(group: JobErrorGroup) -> JobErrorGroup:
    found: JobErrorGroup = _locked(group.organization_id).get(pk=group.pk)
    return found


def _change(
    group: JobErrorGroup, action: str, values: Mapping[str, Any], actor: Actor, reason: str = ""
) -> JobErrorGroup:
    before = _describe(group)
    # whoever did something about it has seen it
    changed = {"mark": GroupMark.NONE, "marked_at": None, **values}
    for name, value in changed.items():
        setattr(group, name, value)
    group.save(update_fields=list(changed))
    after = _describe(group)
    differing = [name for name, value in after.items() if value != before[name]]
    _record(
        group,
        action,
        actor,
        before={name: before[name] for name in differing},
        after={name: after[name] for name in differing},
        reason=reason,
    )
    return group


def _describe(group: JobErrorGroup) -> dict[str, Any]:
    found = {name: getattr(group, name) for name in _RECORDED}
    until = found["muted_until"]
    found["muted_until"] = until.isoformat(timespec="seconds") if until else None
    found["merged_into"] = group.merged_into_id
    found["assignee"] = group.assignee_name
    return found


def _record(group: JobErrorGroup, action: str, actor: Actor, **entry: Any) -> None:
    AuditEntry.record(
        group.organization,
        f"error_group.{action}",
        group,
        actor=actor if isinstance(actor, User) else None,
        token=actor if isinstance(actor, ApiToken) else None,
        **entry,
    )
