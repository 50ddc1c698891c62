"""What the audit log says of a saved account."""

from collections.abc import Iterable, Mapping
from typing import Any

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
    before: Mapping[str, Any],
    credentials: Iterable[str],
    *,
    user: User | None,
    token: ApiToken | None,
) -> None:
    """Nothing, where nothing was changed.

    `before`: what `describe_settings` returned before; empty for a new account. `credentials`: the
    names of those that are others now.
    """
    sides, credentials = changes(before, describe_settings(account)), sorted(credentials)
    if before and not (sides["before"] or credentials):
        return
    AuditEntry.record(
        account.organization,
        "account.changed" if before else "account.added",
        account,
        actor=user,
        token=token,
        before=sides["before"],
        after=sides["after"],
        details={"provider": account.provider, "credentials": credentials},
    )
