"""`/accounts`: add and change them, check their credentials, switch integration mode."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from django.http import HttpResponse
from django.urls import reverse
from ninja import Status
from pydantic import BeforeValidator, Field, WithJsonSchema
from pydantic.config import JsonDict

from jobs.accounts.duplicates import describe_duplicates, find_duplicates
from jobs.accounts.integration import ModeUnsupported, switch_integration_mode
from jobs.accounts.service import (
    CheckResult,
    CheckStatus,
    check_account,
    set_enabled,
    write_account,
)
from jobs.accounts.validation import AccountInput, InvalidAccount
from jobs.accounts.webhook_urls import webhook_url
from jobs.api.accounts import find_account, router
from jobs.api.auth import ApiRequest, TokenAuth, visible_to
from jobs.api.errors import ACTION_REFUSALS, SUBMIT_REFUSALS, ApiError, ErrorBody, invalid
from jobs.api.requests import Strict, as_whole
from jobs.api.schemas.accounts import CheckShape, ModeShape, SavedAccount
from jobs.models import ProviderAccount
from jobs.models.account import MAX_BASE_URL
from jobs.sync.on_demand import check_credentials
from organizations.permissions import Permission
from providers.core import registry
from providers.core.contract import Provider
from providers.core.errors import CLASSES, AuthRefused, ProviderError
from providers.core.registry import UnknownProvider
from providers.core.types import Capability
from providers.parsing.text import VISIBLE_PATTERN

to_manage = TokenAuth(Permission.ACCOUNTS)
RETRY_S = 30
MAX_NAMES = 50


# checked by `find_errors`, for the form as well
_VISIBLE = {"type": "string", "pattern": VISIBLE_PATTERN}


def _as_text(value: object) -> object:
    whole = as_whole(value)
    return str(whole) if type(whole) is int else value


VisibleText = Annotated[str, WithJsonSchema(_VISIBLE)]
OptionValue = Annotated[
    str, BeforeValidator(_as_text), WithJsonSchema({"anyOf": [_VISIBLE, {"type": "integer"}]})
]


class AccountChanges(Strict):
    """What is left out stays as it is."""

    base_url: str = Field(
        "",
        max_length=MAX_BASE_URL,
        description="With the version; by default the provider's own.",
        json_schema_extra={"pattern": "^(https?://[!-~]+)?$"},
    )
    credentials: dict[str, VisibleText] = Field(
        {}, max_length=MAX_NAMES, description="By name. They are never returned."
    )
    options: dict[str, OptionValue] = Field(
        {}, max_length=MAX_NAMES, description='By name; `""` removes one.'
    )
    enabled: bool | None = Field(None, description="`false` pauses it.")

    def is_only_about_pausing(self) -> bool:
        return not (self.base_url or self.credentials or self.options)


def _list_providers(schema: JsonDict) -> None:
    schema["enum"] = [slug for slug, _ in registry.choices()]


class NewAccount(AccountChanges):
    provider: str = Field(
        max_length=40,
        description="A slug.",
        json_schema_extra=_list_providers,
    )
    name: str = Field(
        min_length=1,
        max_length=100,
        description="It cannot be changed later.",
        json_schema_extra={"pattern": VISIBLE_PATTERN},
    )


class ModeRequest(Strict):
    enabled: bool = Field(description="`true`: all new jobs are test jobs.")


@router.post(
    "",
    auth=to_manage,
    response={201: SavedAccount, **SUBMIT_REFUSALS},
    summary="Add an account",
)
def create_account(
    request: ApiRequest, response: HttpResponse, body: NewAccount
) -> Status[ProviderAccount]:
    """Add an account, and ask its provider whether it accepts the credentials, for 3 s at most.

    Refused credentials are a 422; without an answer the account is saved, and `warnings` says so,
    as it does where another account of the token is the same at the provider.
    """
    if visible_to(request).account_ids is not None:
        message = "This token is restricted to some accounts, so it cannot add one."
        raise ApiError(403, "forbidden", message)
    try:
        adapter_class = registry.get(body.provider)
    except UnknownProvider as error:
        raise invalid({"provider": str(error)}) from error
    account = _write(request, adapter_class, body, name=body.name, is_new=True)
    response["Location"] = reverse("api:read_account", args=[account.pk])
    return Status(201, account)


@router.patch(
    "/{account_id}",
    auth=to_manage,
    response={200: SavedAccount, 404: ErrorBody, **SUBMIT_REFUSALS},
    summary="Change an account",
)
def update_account(
    request: ApiRequest, account_id: str, body: AccountChanges
) -> Status[ProviderAccount]:
    """Change its settings, or pause and resume it with `enabled`.

    A new base URL needs the secrets again.
    """
    account = find_account(request, account_id)
    if not body.is_only_about_pausing():
        return Status(200, _write(request, account.adapter_class, body, name=account.name))
    if body.enabled not in (None, account.enabled):
        set_enabled(account, body.enabled, token=request.auth)
    return Status(200, _saved(request, account.pk))


@router.post(
    "/{account_id}/check",
    auth=to_manage,
    response={200: CheckShape, **ACTION_REFUSALS},
    summary="Check credentials",
)
def check_account_credentials(request: ApiRequest, account_id: str) -> dict[str, object]:
    """Ask the provider whether it accepts the credentials, for 3 s at most.

    If it does, an account that it had refused is synced again.
    """
    account = find_account(request, account_id)
    if not account.adapter_class.supports(Capability.CHECK_CREDENTIALS):
        message = f"{account.provider_label} does not support checking credentials."
        raise ApiError(409, "not_supported", message)
    try:
        check_credentials(account)
    except AuthRefused as error:
        return {"status": CheckStatus.REFUSED, "message": str(error)}
    except ProviderError as error:
        return {"status": CheckStatus.UNANSWERED, "message": str(error)}
    return {"status": CheckStatus.ACCEPTED, "message": None}


@router.put(
    "/{account_id}/integration",
    auth=to_manage,
    response={200: ModeShape, 409: ErrorBody, 404: ErrorBody, 503: ErrorBody, **SUBMIT_REFUSALS},
    summary="Switch integration mode",
)
def switch_integration(request: ApiRequest, account_id: str, body: ModeRequest) -> dict[str, bool]:
    """Have all new jobs of the account at its provider be test jobs, or no longer.

    409 where the provider has no such mode or refuses; 503 where it could not be asked.
    """
    account = find_account(request, account_id)
    with _provider_errors():
        switch_integration_mode(account, body.enabled, token=request.auth)
    return {"enabled": body.enabled}


def _write(
    request: ApiRequest,
    adapter_class: type[Provider],
    body: AccountChanges,
    *,
    name: str,
    is_new: bool = False,
) -> ProviderAccount:
    values = AccountInput(
        request.auth.organization,
        provider=adapter_class.slug,
        name=name,
        base_url=body.base_url,
        credentials=body.credentials,
        options=body.options,
        enabled=body.enabled,
        is_new=is_new,
    )
    try:
        checked = check_account(values)
        account = write_account(values, checked, token=request.auth)
    except InvalidAccount as error:
        raise invalid(_name_fields(adapter_class, body, error)) from error
    return _saved(request, account.pk, checked)


def _name_fields(
    adapter_class: type[Provider], body: AccountChanges, error: InvalidAccount
) -> dict[str, str]:
    """The errors under the names that the body has."""
    secrets = {field.name for field in adapter_class.credential_fields} | body.credentials.keys()
    options = {field.name for field in adapter_class.option_fields} | body.options.keys()

    def path(name: str) -> str:
        if name in NewAccount.model_fields:
            return name
        return f"options.{name}" if name in options - secrets else f"credentials.{name}"

    return {path(name): sentence for name, sentence in error.errors.items()}


def _saved(request: ApiRequest, pk: int, checked: CheckResult | None = None) -> ProviderAccount:
    """The account as stored, with what SavedAccount shows beside its columns."""
    account = find_account(request, str(pk))
    has_webhook = account.adapter_class.supports(Capability.WEBHOOK)
    warnings = []
    if checked and checked.status == CheckStatus.UNANSWERED:
        warnings = [f"The credentials could not be checked yet. {checked.reason}"]
    if checked:
        duplicates = find_duplicates(account, visible_to(request).accounts())
        warnings += filter(None, [describe_duplicates(account, duplicates)])
    account.__dict__.update(
        webhook_url=webhook_url(account) if has_webhook else None, warnings=warnings
    )
    return account


@contextmanager
def _provider_errors() -> Iterator[None]:
    try:
        yield
    except ModeUnsupported as error:
        raise ApiError(409, "not_supported", str(error)) from error
    except ProviderError as error:
        if not CLASSES[error.error_class].is_transient:
            raise ApiError(409, "provider_refused", str(error)) from error
        raise ApiError(
            *(503, "provider_unavailable", str(error)), headers={"Retry-After": str(RETRY_S)}
        ) from error
