"""Who belongs to an organization: members and their roles, invitations, and pages without one."""
