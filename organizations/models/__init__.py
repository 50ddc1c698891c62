"""Who may do what: users, organizations, memberships, invitations, API tokens, the audit log."""

from organizations.models.audit import AuditEntry
from organizations.models.invitation import Invitation
from organizations.models.organization import Membership, Organization, Role
from organizations.models.token import Actor, ApiToken, Scope, name_actor
from organizations.models.user import Theme, User

__all__ = [
    "Actor",
    "ApiToken",
    "AuditEntry",
    "Invitation",
    "Membership",
    "Organization",
    "Role",
    "Scope",
    "Theme",
    "User",
    "name_actor",
]
