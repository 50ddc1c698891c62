"""What can be an account: the values that people enter, whichever way they enter them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jobs.accounts.webhook_urls import OFF, ON, SEND_OPTION
from jobs.models import ProviderAccount
from jobs.models.account import LARGEST_OPTION
from organizations.models import Organization
from providers.core.contract import Provider
from providers.core.types import Capability
from providers.parsing.text import find_hidden

# Options of every account, beside those that its provider declares.
COMMON_OPTIONS = (
    *("interval_s", "idle_interval_s", "requests_per_minute", "concurrency"),
    *("stuck_after_min", "max_unfinished_jobs"),
)

NAME_TAKEN = "An account with this name already exists."


class InvalidAccount(Exception):
    """What was entered cannot be an account; `errors` are sentences by field name."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__(" ".join(errors.values()))
        self.errors = dict(errors)


@dataclass(frozen=True, slots=True)
class AccountInput:
    """Values for the account called `name`; what is not given stays as it is.

    An empty credential keeps the stored one, an empty option removes it. With `is_new`, an
    account of that name must not exist yet.
    """

    organization: Organization
    provider: str
    name: str
    base_url: str = ""
    credentials: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    enabled: bool | None = None
    is_new: bool = False

    @property
    def given_credentials(self) -> dict[str, str]:
        return {name: value for name, value in self.credentials.items() if value}


def find_errors(
    account: ProviderAccount,
    adapter_class: type[Provider],
    values: AccountInput,
    credentials: Mapping[str, Any],
) -> dict[str, str]:
    """Sentences by field name. `credentials`: those given, and those that stay as stored."""
    if values.is_new and account.pk is not None:
        return {"name": NAME_TAKEN}  # all else would be about the account that is there
    options = values.options
    errors: dict[str, str] = {}
    if not 1 <= len(account.name) <= 100:
        errors["name"] = "Enter a name of 1 to 100 characters."
    if account.provider != values.provider:
        errors["provider"] = (
            f"{account.name} already exists, as a {account.provider_label} account."
        )
    for name, value in {"name": account.name, **values.given_credentials, **options}.items():
        if find_hidden(value):
            errors[name] = "Remove the control characters."
    errors |= _unknown_names(adapter_class, credentials, options)
    for name in sorted(set(options) & set(COMMON_OPTIONS)):
        if options[name] != "" and not _is_count(options[name]):
            errors[name] = f"Enter a whole number up to {LARGEST_OPTION:,}."
    if options.get(SEND_OPTION, "") not in ("", ON, OFF):
        errors[SEND_OPTION] = "Choose on or off."
    if not errors:
        errors |= adapter_class.check_credentials_given(credentials, {**account.options, **options})
    return errors


def drop_replaced(
    adapter_class: type[Provider], stored: Mapping[str, Any], given: Mapping[str, str]
) -> dict[str, Any]:
    """What stays stored: where another way to sign in is given, nothing of the one before."""
    alternatives = adapter_class.credential_alternatives
    if not any(given.keys() >= set(names) for names in alternatives):
        return dict(stored)
    replaced = {name for names in alternatives for name in names}
    return {name: value for name, value in stored.items() if name not in replaced}


def _unknown_names(
    adapter_class: type[Provider], credentials: Iterable[str], options: Iterable[str]
) -> dict[str, str]:
    known = {field.name for field in adapter_class.credential_fields}
    known_options = {field.name for field in adapter_class.option_fields} | set(COMMON_OPTIONS)
    if adapter_class.supports(Capability.JOB_WEBHOOK):
        known_options.add(SEND_OPTION)
    label = adapter_class.label
    return {
        name: f"{label} has no credential {name}; use {_join(known)}."
        for name in sorted(set(credentials) - known)
    } | {
        name: f"There is no option {name}; use {_join(known_options)}."
        for name in sorted(set(options) - known_options)
    }


def _is_count(value: object) -> bool:
    text = str(value)
    return text.isascii() and text.isdecimal() and len(text) < 9 and int(text) <= LARGEST_OPTION


def _join(names: set[str]) -> str:
    return ", ".join(sorted(names)) or "none"
