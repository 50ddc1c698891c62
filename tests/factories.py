"""Rows to test with. Each call makes a new one; what a test does not name does not matter to it."""

from itertools import count

from django.utils import timezone

from organizations.models import Invitation, Membership, Organization, Role, User

PASSWORD = "a-quiet-harbour-17"

_serial = count(1)


def make_user(email: str = "", *, name: str = "", is_staff: bool = False) -> User:
    """A user who signs in with PASSWORD."""
    return User.objects.create_user(
        email or f"person-{next(_serial)}@studio.example", PASSWORD, name=name, is_staff=is_staff
    )


def make_organization(slug: str = "", *, name: str = "", time_zone: str = "UTC") -> Organization:
    slug = slug or f"studio-{next(_serial)}"
    name = name or slug.replace("-", " ").title()
    return Organization.objects.create(slug=slug, name=name, time_zone=time_zone)


def make_membership(
    organization: Organization, role: Role = Role.VIEWER, *, user: User | None = None
) -> Membership:
    return Membership.objects.create(organization=organization, role=role, user=user or make_user())


def make_invitation(
    organization: Organization, email: str = "", role: Role = Role.OPERATOR
) -> Invitation:
    """An open one."""
    email = email or f"person-{next(_serial)}@guest.example"
    invitation = Invitation(organization=organization, email=email, role=role)
    invitation.renew(timezone.now())
    invitation.save()
    return invitation
