"""`/me`: the token that calls."""

from datetime import datetime
from typing import Any

from ninja import Field, Router, Schema

from jobs.api.auth import ApiRequest
from jobs.api.errors import ErrorBody
from jobs.api.schemas.fields import Id
from organizations.models import Scope

router = Router(tags=["tokens"], by_alias=True)


class TokenShape(Schema):
    id: Id = Field(description="Our id of the token.")
    organization: str = Field(description="The slug of the organization that it belongs to.")
    name: str = Field(description="`token:` and this name is `submitted_by` of what it submits.")
    scope: Scope = Field(description="What it may do.")
    accounts: list[Id] | None = Field(description="The accounts that it may use; null: all.")
    expires_at: datetime | None = Field(description="Null: never.")


@router.get(
    "", response={200: TokenShape, 401: ErrorBody, 429: ErrorBody}, summary="Read the token"
)
def read_token(request: ApiRequest) -> dict[str, Any]:
    """Which token this is, and what it may do."""
    token = request.auth
    return {
        "id": token.pk,
        "organization": token.organization.slug,
        "name": token.name,
        "scope": token.scope,
        "accounts": token.account_ids,
        "expires_at": token.expires_at,
    }
