"""What the audit log says of a saved account."""

from collections.abc import Mapping
from typing import Any

from jobs.accounts.validation import AccountInput
from jobs.models import ProviderAccount
from organizations.audit.changes import changes
from organizations.models import ApiToken, AuditEntry, User
from providers.http.redaction import redact


def describe_settings(account: ProviderAccount) -> dict[str, Any]:
    """The settings, redacted. Of the credentials nothing: an entry names those that were given."""
    if account._state.adding:
        return {}
    settings = {
        "base_url": account.base_url,
        "enabled": account.enabled,
        "options": account.options,
    }
    return {name: redact(value) for name, value in settings.items()}


def record_saved(
    account: ProviderAccount,
    values: AccountInput,
    before: Mapping[str, Any],
    *,
    user: User | None,
    token: ApiToken | None,
) -> None:
    """`before`: what `describe_settings` returned before; empty for a new account."""
    sides = changes(before, describe_settings(account))
    AuditEntry.record(
        values.organization,
        "account.changed" if before else "account.added",
        account,
        actor=user,
        token=token,
        before=sides["before"],
        after=sides["after"],
        details={"provider": values.provider, "credentials": sorted(values.given_credentials)},
    )
