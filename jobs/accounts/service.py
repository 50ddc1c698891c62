"""Adding and changing provider accounts: one way in for the command, the pages and the admin."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from jobs.accounts.base_urls import check_base_url
from jobs.accounts.credential_check import ask_provider
from jobs.models import ProviderAccount
from jobs.models.account import LARGEST_OPTION, new_hook_secret
from jobs.models.fields import Undecryptable
from jobs.workqueue.hosts import note_answer
from organizations.models import AuditEntry, Organization, User
from providers.core import registry
from providers.core.contract import Provider
from providers.core.errors import AddressRefused, AuthRefused
from providers.parsing.text import find_hidden

# Options that every account may have, beside those of its provider.
COMMON_OPTIONS = {
    "interval_s": "Seconds between passes while jobs are unfinished",
    "idle_interval_s": "Seconds between passes while nothing runs",
    "requests_per_minute": "Requests a minute of each kind, in place of the provider's limits",
    "concurrency": "Jobs read at the same time",
}


class InvalidAccount(Exception):
    """What was entered cannot be an account; `errors` are sentences by field name."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class Entered:
    """What was entered of the account called `name`; what is not given stays as it is.

    An empty credential keeps the one that is stored, an empty option removes it.
    """

    organization: Organization
    provider: str
    name: str
    base_url: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    enabled: bool | None = None

    @property
    def given(self) -> dict[str, str]:
        return {name: value for name, value in self.credentials.items() if value}


class Check(StrEnum):
    """Whether the provider accepts an account's credentials, as far as it answered in time."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNANSWERED = "unanswered"
    NOT_NEEDED = "not needed"  # neither they nor the base URL changed


@dataclass(frozen=True, slots=True)
class Checked:
    check: Check
    reason: str = ""


def check_account(entered: Entered, *, keep_refused: bool = False) -> Checked:
    """Ask the provider about what was entered, for CHECK_S at most. Raises InvalidAccount.

    Call it outside of any transaction. `keep_refused`: refused credentials are no error.
    """
    adapter_class = registry.get(entered.provider)
    account = _find(entered)
    is_changed = _apply(account, entered)
    if not is_changed:
        return Checked(Check.NOT_NEEDED)
    failure = ask_provider(adapter_class, account.as_remote())
    if failure is None:
        return Checked(Check.ACCEPTED)
    if isinstance(failure, AddressRefused):
        raise InvalidAccount({"base_url": str(failure)})
    if not isinstance(failure, AuthRefused):
        return Checked(Check.UNANSWERED, str(failure))
    if not keep_refused:
        raise InvalidAccount({_refused_field(adapter_class, account.credentials): str(failure)})
    return Checked(Check.REFUSED, str(failure))


def write_account(entered: Entered, checked: Checked, *, user: User | None) -> ProviderAccount:
    """Add or change the account and make it due. Raises InvalidAccount.

    All is validated again, since another process may have changed the account meanwhile.
    """
    with transaction.atomic():
        account = _find(entered, ProviderAccount.objects.select_for_update())
        is_new = account.pk is None
        was_polled = account.enabled and not account.refused_at
        _apply(account, entered)
        _set_state(account, checked)
        if not was_polled:
            account.expected_at = account.next_sync_at
        account.save(update_fields=None if is_new else WRITTEN)
        AuditEntry.record(
            entered.organization,
            "account.added" if is_new else "account.changed",
            account,
            actor=user,
            details={
                "provider": entered.provider,
                "base_url": account.base_url,
                "credentials": sorted(entered.given),
            },
        )
    if checked.check in (Check.ACCEPTED, Check.REFUSED):
        note_answer(ProviderAccount.objects.values_list("host", flat=True).get(pk=account.pk))
    return account


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
]


def _find(entered: Entered, accounts: QuerySet[ProviderAccount] | None = None) -> ProviderAccount:
    """The account of that name, or a new one that is not saved."""
    accounts = ProviderAccount.objects.all() if accounts is None else accounts
    found = accounts.filter(organization=entered.organization, name=entered.name).first()
    return found or ProviderAccount(
        organization=entered.organization, provider=entered.provider, name=entered.name
    )


def _apply(account: ProviderAccount, entered: Entered) -> bool:
    """Change `account`, unsaved, as entered. Raises InvalidAccount.

    Returns whether its base URL or its credentials changed. A new base URL needs the secrets
    again, whoever enters it, or they could be sent to a server that was never given them.
    """
    adapter_class, given = registry.get(entered.provider), entered.given
    stored = _stored_credentials(account)
    merged = {**stored, **given}
    errors = _check(account, adapter_class, entered, merged)
    before = account.base_url
    try:
        account.base_url = check_base_url(
            entered.base_url or account.base_url or adapter_class.default_base_url,
            allow_private=settings.ALLOW_PRIVATE_ADDRESSES,
        )
    except ValueError as error:
        errors["base_url"] = str(error)
    is_moved = bool(before) and account.base_url != before.rstrip("/")
    if not errors and is_moved:
        errors = {
            field.name: f"The base URL has changed: enter {field.label} again."
            for field in adapter_class.credential_fields
            if field.secret and stored.get(field.name) and field.name not in given
        }
    if errors:
        raise InvalidAccount(errors)
    account.credentials = merged
    chosen = {**account.options, **entered.options}
    account.options = {key: value for key, value in chosen.items() if value != ""}
    if entered.enabled is not None:
        account.enabled = entered.enabled
    return account.pk is None or is_moved or bool(given)


def _set_state(account: ProviderAccount, checked: Checked) -> None:
    """What the check found, as a pass of syncing would leave it."""
    now = timezone.now()
    account.refused_at, account.next_sync_at = None, now
    if checked.check == Check.UNANSWERED:
        account.unchecked_since = now
    elif checked.check != Check.NOT_NEEDED:
        account.unchecked_since = None
    if checked.check == Check.REFUSED:
        account.refused_at = account.last_error_at = now
        account.last_error_class = AuthRefused.error_class
        account.last_error_message = checked.reason


def _refused_field(adapter_class: type[Provider], credentials: Mapping[str, Any]) -> str:
    """The field to report refused credentials at: the first secret that was sent."""
    names = [field.name for field in adapter_class.credential_fields if field.secret]
    return next((name for name in names if credentials.get(name)), names[0])


def _stored_credentials(account: ProviderAccount) -> Mapping[str, Any]:
    """What is stored. After a lost key nothing is, and all of it has to be given anew."""
    try:
        return account.credentials if account.hook_secret else {}
    except Undecryptable:
        account.hook_secret = new_hook_secret()
        return {}


def stored_names(account: ProviderAccount) -> frozenset[str]:
    """The names of the credentials that are stored and can still be read."""
    try:
        return frozenset(name for name, value in account.credentials.items() if value)
    except Undecryptable:
        return frozenset()


def set_enabled(account: ProviderAccount, enabled: bool, *, user: User | None) -> None:
    """Pause or resume: a paused account is not polled and holds its submissions."""
    now = timezone.now()
    ProviderAccount.objects.filter(pk=account.pk).update(
        enabled=enabled, next_sync_at=now, expected_at=now
    )
    action = "account.resumed" if enabled else "account.paused"
    AuditEntry.record(account.organization, action, account, actor=user)


def webhook_url(account: ProviderAccount) -> str:
    """Our address for the provider's deliveries: itself a secret, for managers only.

    Empty after a lost key, until the account's credentials are given anew.
    """
    try:
        path = reverse("jobs:webhook", args=[account.provider, account.pk, account.hook_secret])
    except Undecryptable:
        return ""
    return f"{settings.BASE_URL}{path}"


def _check(
    account: ProviderAccount,
    adapter_class: type[Provider],
    entered: Entered,
    credentials: Mapping[str, Any],
) -> dict[str, str]:
    errors: dict[str, str] = {}
    options = entered.options
    if not 1 <= len(account.name) <= 100:
        errors["name"] = "An account's name has 1 to 100 characters."
    if account.provider != entered.provider:
        errors["provider"] = f"The account {account.name} is one of {account.provider_label}."
    for name, value in {"name": account.name, **entered.given, **options}.items():
        if find_hidden(value):
            errors[name] = "Remove the control characters."
    known = {field.name for field in adapter_class.credential_fields}
    for name in sorted(set(credentials) - known):
        errors[name] = f"{adapter_class.label} has no credential {name}; it has {_words(known)}."
    known_options = {field.name for field in adapter_class.option_fields} | set(COMMON_OPTIONS)
    for name in sorted(set(options) - known_options):
        errors[name] = f"There is no option {name}; there are {_words(known_options)}."
    for name in sorted(set(options) & set(COMMON_OPTIONS)):
        if options[name] != "" and not _is_count(options[name]):
            errors[name] = f"The option {name} is a whole number up to {LARGEST_OPTION}."
    if not errors:
        errors |= adapter_class.check_credentials_given(credentials, {**account.options, **options})
    return errors


def _is_count(value: object) -> bool:
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) < 9 and int(text) <= LARGEST_OPTION


def _words(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
