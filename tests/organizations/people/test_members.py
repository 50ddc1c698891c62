"""An organization keeps an owner, whatever happens at the same moment."""

from collections.abc import Callable

import pytest

from organizations.models import AuditEntry, Membership, Organization, Role, User
from organizations.people.members import LastOwner, change_role, remove
from tests.factories import make_membership, make_organization
from tests.threads import together

pytestmark = pytest.mark.django_db


def owners_of(organization: Organization) -> int:
    return organization.memberships.filter(role=Role.OWNER).count()


def entries(organization: Organization) -> list[tuple[str, str, object, object, str]]:
    found = AuditEntry.objects.for_organization(organization)
    return [
        (one.action, one.target, one.before["role"], one.after["role"], one.reason) for one in found
    ]


def test_the_last_owner_can_neither_leave_nor_be_demoted(studio: Organization, owner: User) -> None:
    membership = Membership.objects.get(user=owner)
    deactivated = make_membership(studio, Role.OWNER)
    User.objects.filter(pk=deactivated.user_id).update(is_active=False)
    make_membership(make_organization("elsewhere"), Role.OWNER)

    with pytest.raises(LastOwner):
        remove(membership, by=owner)
    with pytest.raises(LastOwner):
        change_role(membership, Role.MANAGER, by=owner)

    membership.refresh_from_db()
    assert membership.role == Role.OWNER
    assert not AuditEntry.objects.exists()


def test_each_change_is_in_the_audit_log_with_before_and_after(
    studio: Organization, owner: User, colleague: User
) -> None:
    membership = Membership.objects.get(user=colleague)
    change_role(membership, Role.MANAGER, by=owner)
    change_role(membership, Role.MANAGER, by=owner)  # which changes nothing
    remove(membership, by=owner, reason="the project is over")
    remove(membership, by=owner)

    assert entries(studio) == [
        ("member.removed", colleague.email, "Manager", None, "the project is over"),
        ("member.role_changed", colleague.email, "Operator", "Manager", ""),
    ]
    assert AuditEntry.objects.first().actor_id == owner.pk  # type: ignore[union-attr]


def demote(membership: Membership, by: User) -> None:
    change_role(membership, Role.VIEWER, by=by)


def leave(membership: Membership, by: User) -> None:
    remove(membership, by=membership.user)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("way", [demote, leave])
def test_of_owners_who_go_at_once_one_stays(way: Callable[[Membership, User], None]) -> None:
    studio = make_organization("studio")
    memberships = [make_membership(studio, Role.OWNER) for _ in range(4)]
    refused: list[LastOwner] = []

    def go(membership: Membership, by: User) -> None:
        try:
            way(Membership.objects.select_related("organization").get(pk=membership.pk), by)
        except LastOwner as error:
            refused.append(error)

    together(
        *[
            lambda one=one, by=by: go(one, by.user)
            for one, by in zip(memberships, reversed(memberships), strict=True)
        ]
    )

    assert owners_of(studio) == len(refused) == 1
    assert AuditEntry.objects.count() == 3
