"""Changes of who belongs to an organization, one at a time and each in the audit log.

All of them, and those of `invitations`, take the lock of the organization first. So an
organization never loses its last owner, whoever leaves or is demoted at the same moment.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import transaction
from django.db.models import QuerySet

from organizations.models import AuditEntry, Membership, Organization, Role, User


class LastOwner(Exception):
    """An organization always has an owner who can sign in."""

    def __init__(self) -> None:
        super().__init__(
            "An organization needs at least one owner. Make another member the owner first."
        )


def lock_people(organization: Organization) -> None:
    """Wait for others who change the people of this organization; inside a transaction.

    Not in the way of rows that refer to it, such as new jobs.
    """
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)


@contextmanager
def keep_owners() -> Iterator[None]:
    """Undo what is done within it, to whatever rows, where an organization loses its last owner.

    Raises LastOwner. For the Django admin, where a change may reach any organization: people of
    none are changed meanwhile by others.
    """
    with transaction.atomic():
        list(Organization.objects.select_for_update(no_key=True).order_by("pk"))
        before = _with_owner()
        yield
        if before - _with_owner():
            raise LastOwner


@transaction.atomic
def change_role(membership: Membership, role: Role, *, by: User) -> Membership | None:
    """None if the person is no member any more. Raises LastOwner."""
    lock_people(membership.organization)
    current = _reload(membership)
    if current is None or current.role == role:
        return current
    if role != Role.OWNER:
        _refuse_last_owner(current)
    before = current.role_label
    current.role = role
    current.save(update_fields=["role"])
    AuditEntry.record(
        current.organization,
        "member.role_changed",
        current.user,
        actor=by,
        before={"role": before},
        after={"role": current.role_label},
    )
    return current


@transaction.atomic
def remove(membership: Membership, *, by: User, reason: str = "") -> None:
    """End the membership, of oneself or of another. Twice is once. Raises LastOwner."""
    lock_people(membership.organization)
    current = _reload(membership)
    if current is None:
        return
    _refuse_last_owner(current)
    current.delete()
    AuditEntry.record(
        current.organization,
        "member.left" if by == current.user else "member.removed",
        current.user,
        actor=by,
        before={"role": current.role_label},
        after={"role": None},
        reason=reason,
    )


@transaction.atomic
def create_organization(organization: Organization, *, owner: User) -> Membership:
    """Save a new organization, which `owner` makes and owns."""
    organization.save()
    AuditEntry.record(organization, "organization.created", organization, actor=owner)
    return add(organization, owner, Role.OWNER, by=owner, how="creation")


@transaction.atomic
def add(organization: Organization, user: User, role: Role, *, by: User, how: str) -> Membership:
    """Make `user` a member. Who is one already keeps the role."""
    lock_people(organization)
    membership, is_new = Membership.objects.get_or_create(
        user=user, organization=organization, defaults={"role": role}
    )
    if is_new:
        AuditEntry.record(
            organization,
            "member.joined",
            user,
            actor=by,
            before={"role": None},
            after={"role": role.label},
            details={"how": how},
        )
    return membership


def _reload(membership: Membership) -> Membership | None:
    found = Membership.objects.select_related("user", "organization").filter(pk=membership.pk)
    return found.first()


def _refuse_last_owner(membership: Membership) -> None:
    others = _owners().filter(organization=membership.organization).exclude(pk=membership.pk)
    if membership.role == Role.OWNER and not others.exists():
        raise LastOwner


def _owners() -> QuerySet[Membership]:
    return Membership.objects.filter(role=Role.OWNER, user__is_active=True)


def _with_owner() -> set[int]:
    return set(_owners().values_list("organization_id", flat=True))
