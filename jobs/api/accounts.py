"""`/accounts`: provider accounts and how they are doing."""

from typing import Annotated, Any

from django.db.models import QuerySet
from ninja import Query, Router, Status
from pydantic import BaseModel, Field

from jobs.api.auth import ApiRequest, TokenAuth, visible_to
from jobs.api.errors import ACTION_REFUSALS, LIST_REFUSALS, READ_REFUSALS, ApiError, not_found
from jobs.api.list_parameters import read_filters
from jobs.api.schemas.accounts import AccountList, AccountShape
from jobs.api.schemas.parameters import Flag, Slugs, one_of
from jobs.models import HealthState, ProviderAccount
from jobs.query.accounts import AccountFilter
from jobs.query.references import find_by_id
from jobs.sync.on_demand import request_sync
from organizations.permissions import Permission

router = Router(tags=["accounts"], by_alias=True)


class ListParameters(BaseModel):
    """Documents the query string; AccountFilter reads it."""

    provider: Slugs = []
    enabled: Flag = Field("", description="`false`: those that are paused; `true`: all others.")
    state: Annotated[list[str], one_of(HealthState)] = Field(
        [], description="Those whose `health.state` is one of these."
    )


@router.get("", response={200: AccountList, **LIST_REFUSALS}, summary="List accounts")
def list_accounts(request: ApiRequest, parameters: Query[ListParameters]) -> dict[str, Any]:
    """The provider accounts of the organization, by name."""
    filters = read_filters(AccountFilter, request)
    return {"results": filters.apply(_accounts(request).order_by("name"))}


@router.get(
    "/{account_id}", response={200: AccountShape, **READ_REFUSALS}, summary="Read an account"
)
def read_account(request: ApiRequest, account_id: str) -> ProviderAccount:
    """One account, by its id."""
    return find_account(request, account_id)


@router.post(
    "/{account_id}/sync",
    auth=TokenAuth(Permission.SYNC),
    response={202: AccountShape, **ACTION_REFUSALS},
    summary="Sync now",
)
def sync_account(request: ApiRequest, account_id: str) -> Status[ProviderAccount]:
    """Make the account due at once, whatever its back-off; does not wait for the pass.

    409 where the account is paused.
    """
    account = find_account(request, account_id)
    if not account.enabled:
        raise ApiError(409, "paused", f"{account} is paused. Resume it first.")
    request_sync(account)
    return Status(202, find_account(request, account_id))


def _accounts(request: ApiRequest) -> QuerySet[ProviderAccount]:
    return (
        visible_to(request)
        .accounts()
        .select_related("organization")
        .defer("credentials", "hook_secret")
    )


def find_account(request: ApiRequest, account_id: str) -> ProviderAccount:
    account = find_by_id(_accounts(request), account_id)
    if account is None:
        raise not_found()
    return account
