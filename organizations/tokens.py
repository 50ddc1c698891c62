"""Issuing and revoking API tokens: each leaves an entry in the audit log."""

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from organizations.models import ApiToken, AuditEntry, Organization, Scope, User


@transaction.atomic
def issue_token(
    organization: Organization,
    name: str,
    scope: Scope,
    *,
    actor: User | None,
    account_ids: Iterable[int] | None = None,
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """A new token and its clear text, which is kept nowhere. `account_ids`: see ApiToken."""
    token, text = ApiToken.issue(
        organization,
        name,
        scope,
        created_by=actor,
        expires_at=expires_at,
        account_ids=account_ids,
    )
    after = {
        "scope": scope.value,
        "accounts": token.account_ids,
        "expires_at": f"{expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else None,
    }
    AuditEntry.record(organization, "token.created", token, actor=actor, after=after)
    return token, text


@transaction.atomic
def revoke_token(token: ApiToken, *, actor: User | None) -> bool:
    """End it for good. False where it had been revoked before."""
    if not token.revoke():
        return False
    AuditEntry.record(token.organization, "token.revoked", token, actor=actor)
    return True
