"""What the audit log says of the ways in which people sign in."""

from typing import Any

from organizations.models import AuditEntry, Organization, User


def record(action: str, user: User, *, actor: User | None, **details: Any) -> None:
    """Write it down in each organization that the user may enter; else for the board itself."""
    organizations = Organization.objects.filter(memberships__user=user)
    for organization in list(organizations) or (None,):
        AuditEntry.record(organization, action, user, actor=actor, details=details)
