"""Adding, changing and pausing accounts: one way in for the command, the pages and the admin."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from jobs.accounts.audit import describe_settings, record_saved
from jobs.accounts.base_urls import check_base_url
from jobs.accounts.credential_check import ask_provider
from jobs.accounts.validation import (
    NAME_TAKEN,
    AccountInput,
    InvalidAccount,
    drop_replaced,
    find_errors,
)
from jobs.models import ProviderAccount
from jobs.models.account import new_hook_secret
from jobs.workqueue.circuit_breaker import mark_responding
from organizations.audit.changes import changes
from organizations.encryption import Undecryptable
from organizations.models import ApiToken, AuditEntry, User
from providers.core import registry
from providers.core.contract import Provider
from providers.core.errors import AddressRefused, AuthRefused

# What saving an account writes of an existing one: a worker writes the other columns meanwhile.
WRITTEN = [
    "base_url",
    "credentials",
    "hook_secret",
    "options",
    "enabled",
    "refused_at",
    "unchecked_since",
    "last_error_at",
    "last_error_class",
    "last_error_message",
    "next_sync_at",
    "expected_at",
    "lease",
    "leased_until",
]


class CheckStatus(StrEnum):
    """Whether the provider accepts an account's credentials, as far as it answered in time."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    NOT_NEEDED = "not needed"  # neither they nor the base URL changed


@dataclass(frozen=True, slots=True)
class CheckResult:
    status: CheckStatus
    reason: str = ""


def check_account(values: AccountInput, *, keep_refused: bool = False) -> CheckResult:
    """Validate the values and ask the provider about them, for a few seconds at most.

    Raises InvalidAccount. Call it outside of any transaction. `keep_refused`: refused credentials
    are no error.
    """
    adapter_class = registry.get_or_removed(values.provider)
    account = _find(values)
    is_changed = _apply(account, values)
    if not is_changed:
        return CheckResult(CheckStatus.NOT_NEEDED)
    failure = ask_provider(adapter_class, account.as_remote())
    if failure is None:
        return CheckResult(CheckStatus.ACCEPTED)
    if isinstance(failure, AddressRefused):
        raise InvalidAccount({"base_url": str(failure)})
    if not isinstance(failure, AuthRefused):
        return CheckResult(CheckStatus.UNANSWERED, str(failure))
    if not keep_refused:
        raise InvalidAccount({_refused_field(adapter_class, account.credentials): str(failure)})
    return CheckResult(CheckStatus.REFUSED, str(failure))


def write_account(
    values: AccountInput,
    checked: CheckResult,
    *,
    user: User | None = None,
    token: ApiToken | None = None,
) -> ProviderAccount:
    """Add or change the account and make it due. Raises InvalidAccount.

    All is validated again, since another process may have changed the account meanwhile.
    """
    with transaction.atomic():
        account = _find(values, ProviderAccount.objects.select_for_update())
        is_new = account.pk is None
        was_polled = account.enabled and not account.refused_at
        before, stored = describe_settings(account), dict(_stored_credentials(account))
        _apply(account, values)
        changed = changes(stored, account.credentials)["after"]
        _set_state(account, checked)
        if not was_polled:
            account.expected_at = account.next_sync_at
        if is_new:
            _insert(account)
        else:
            account.end_lease()
            account.save(update_fields=WRITTEN)
        record_saved(account, before, changed, user=user, token=token)
    if checked.status in (CheckStatus.ACCEPTED, CheckStatus.REFUSED):
        mark_responding(ProviderAccount.objects.values_list("host", flat=True).get(pk=account.pk))
    return account


def add_unconfigured(account: ProviderAccount, *, user: User) -> None:
    """Add an account without credentials, paused until it gets them. Raises InvalidAccount."""
    account.enabled = False
    account.base_url = account.adapter_class.default_base_url
    with transaction.atomic():
        _insert(account)
        AuditEntry.record(account.organization, "account.added", account, actor=user)


def set_enabled(
    account: ProviderAccount,
    enabled: bool,
    *,
    user: User | None = None,
    token: ApiToken | None = None,
) -> None:
    """Pause or resume: a paused account is not polled and holds its submissions."""
    now = timezone.now()
    action = "account.resumed" if enabled else "account.paused"
    with transaction.atomic():
        ProviderAccount.objects.filter(pk=account.pk).update(
            enabled=enabled, next_sync_at=now, expected_at=now
        )
        AuditEntry.record(account.organization, action, account, actor=user, token=token)


def stored_names(account: ProviderAccount) -> frozenset[str]:
    """The names of the credentials that are stored and can still be decrypted."""
    try:
        return frozenset(name for name, value in account.credentials.items() if value)
    except Undecryptable:
        return frozenset()


def _find(
    values: AccountInput, accounts: QuerySet[ProviderAccount] | None = None
) -> ProviderAccount:
    """The account of that name, or a new one that is not saved."""
    accounts = ProviderAccount.objects.all() if accounts is None else accounts
    found = accounts.filter(organization=values.organization, name=values.name).first()
    return found or ProviderAccount(
        organization=values.organization, provider=values.provider, name=values.name
    )


def _insert(account: ProviderAccount) -> None:
    """Save a new account. Another process may have added one of that name since it was checked."""
    try:
        with transaction.atomic():
            account.save(force_insert=True)
    except IntegrityError:
        raise InvalidAccount({"name": NAME_TAKEN}) from None


def _apply(account: ProviderAccount, values: AccountInput) -> bool:
    """Change `account`, unsaved, as entered. Raises InvalidAccount.

    Returns whether its base URL or its credentials changed. A new base URL needs the secrets
    again, whoever enters it, or they could be sent to a server that was never given them.
    """
    adapter_class, given = registry.get_or_removed(values.provider), values.given_credentials
    stored = _stored_credentials(account)
    kept = drop_replaced(adapter_class, stored, given)
    merged = {**kept, **given}
    errors = find_errors(account, adapter_class, values, merged)
    before = account.base_url
    try:
        account.base_url = check_base_url(
            values.base_url or account.base_url or adapter_class.default_base_url,
            allow_private=settings.ALLOW_PRIVATE_ADDRESSES,
        )
    except ValueError as error:
        errors["base_url"] = str(error)
    is_moved = bool(before) and account.base_url != before.rstrip("/")
    if not errors and is_moved:
        errors = {
            field.name: f"The base URL has changed: enter {field.label} again."
            for field in adapter_class.credential_fields
            if field.secret and kept.get(field.name) and field.name not in given
        }
    if errors:
        raise InvalidAccount(errors)
    account.credentials = merged
    chosen = {**account.options, **values.options}
    account.options = {key: value for key, value in chosen.items() if value != ""}
    if values.enabled is not None:
        account.enabled = values.enabled
    return account.pk is None or is_moved or bool(given)


def _set_state(account: ProviderAccount, checked: CheckResult) -> None:
    """What the check found, as a sync would leave it."""
    now = timezone.now()
    account.refused_at, account.next_sync_at = None, now
    if checked.status == CheckStatus.UNANSWERED:
        account.unchecked_since = now
    elif checked.status != CheckStatus.NOT_NEEDED:
        account.unchecked_since = None
    if checked.status == CheckStatus.REFUSED:
        account.refused_at = account.last_error_at = now
        account.last_error_class = AuthRefused.error_class
        account.last_error_message = checked.reason


def _refused_field(adapter_class: type[Provider], credentials: Mapping[str, Any]) -> str:
    """The field to report refused credentials at: the first secret that was sent."""
    names = [field.name for field in adapter_class.credential_fields if field.secret]
    return next((name for name in names if credentials.get(name)), names[0])


def _stored_credentials(account: ProviderAccount) -> Mapping[str, Any]:
    """What is stored. After a lost key nothing is, and all of it has to be entered again."""
    try:
        return account.credentials if account.hook_secret else {}
    except Undecryptable:
        account.hook_secret = new_hook_secret()
        return {}
