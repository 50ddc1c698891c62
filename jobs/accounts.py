"""Adding and changing provider accounts: one way in for the command, the pages and the admin."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone

from jobs.fields import Undecryptable
from jobs.models import ProviderAccount
from jobs.models.account import LARGEST_OPTION, new_hook_secret
from organizations.models import AuditEntry, Organization, User
from providers import registry
from providers.base import Provider
from providers.urls import parse_url

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


def save_account(
    organization: Organization,
    *,
    provider: str,
    name: str,
    base_url: str = "",
    credentials: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
    enabled: bool | None = None,
    user: User | None = None,
    secrets_follow: bool = False,
) -> ProviderAccount:
    """Add the account called `name`, or change it: what is not given stays. Raises InvalidAccount.

    An empty credential keeps the one that is stored, an empty option takes it away. New
    credentials make a refused account due. At another host all secrets are asked for anew, or
    whoever may change the address could have them sent to a server of their own; unless
    `secrets_follow`, for those who could read them anyway.
    """
    adapter_class = registry.get(provider)
    with transaction.atomic():
        account = (
            ProviderAccount.objects.select_for_update()
            .filter(organization=organization, name=name)
            .first()
        ) or ProviderAccount(organization=organization, provider=provider, name=name)
        is_new = account.pk is None
        given = {key: value for key, value in (credentials or {}).items() if value}
        stored = _stored_credentials(account)
        merged = {**stored, **given}
        errors = _check(account, adapter_class, provider, base_url, merged, options or {})
        is_moved = not is_new and base_url and _origin(base_url) != _origin(account.base_url)
        if not errors and is_moved and not secrets_follow:
            errors = {
                field.name: f"The address is another host's: give {field.label} anew."
                for field in adapter_class.credential_fields
                if field.secret and stored.get(field.name) and field.name not in given
            }
        if errors:
            raise InvalidAccount(errors)
        account.base_url = (base_url or account.base_url or adapter_class.default_base_url).rstrip(
            "/"
        )
        account.credentials = merged
        chosen = {**account.options, **(options or {})}
        account.options = {key: value for key, value in chosen.items() if value != ""}
        if enabled is not None:
            account.enabled = enabled
        account.refused_at = None
        account.next_sync_at = timezone.now()
        account.save(
            update_fields=None
            if is_new
            else [
                "base_url",
                "credentials",
                "hook_secret",
                "options",
                "enabled",
                "refused_at",
                "next_sync_at",
            ]
        )
        AuditEntry.record(
            organization,
            "account.added" if is_new else "account.changed",
            account,
            actor=user,
            details={
                "provider": provider,
                "base_url": account.base_url,
                "credentials": sorted(given),
            },
        )
    return account


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


def _origin(url: str) -> tuple[str, str]:
    parts = parse_url(url)
    return parts.scheme, parts.netloc


def set_enabled(account: ProviderAccount, enabled: bool, *, user: User | None) -> None:
    """Pause or resume: a paused account is not polled and holds its submissions."""
    ProviderAccount.objects.filter(pk=account.pk).update(
        enabled=enabled, next_sync_at=timezone.now()
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
    provider: str,
    base_url: str,
    credentials: Mapping[str, Any],
    options: Mapping[str, str],
) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not 1 <= len(account.name) <= 100:
        errors["name"] = "An account's name has 1 to 100 characters."
    if account.provider != provider:
        errors["provider"] = f"The account {account.name} is one of {account.provider_label}."
    if base_url:
        try:
            parts = urlsplit(base_url)
            is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
        except ValueError:
            is_web = False
        if not is_web or parts.username or parts.password or parts.query:
            errors["base_url"] = "The base URL is a plain http or https address."
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
