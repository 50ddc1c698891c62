"""Who may do what: users, organizations, memberships, API tokens and the audit trail."""

from organizations.models.audit import AuditEntry
from organizations.models.organization import Membership, Organization, Role
from organizations.models.token import ApiToken, Scope
from organizations.models.user import User

__all__ = ["ApiToken", "AuditEntry", "Membership", "Organization", "Role", "Scope", "User"]
