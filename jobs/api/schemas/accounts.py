"""Provider accounts and their health."""

from datetime import datetime
from typing import Any, Literal

from django.utils import timezone
from ninja import Field, Schema

from jobs.accounts.freshness import describe_list
from jobs.api.schemas.fields import Id
from jobs.models import ProviderAccount


class LastError(Schema):
    class_: str = Field(alias="class")
    message: str
    at: datetime | None


class Health(Schema):
    state: str = Field(description="unchecked, ok, failing, refused or paused.")
    late: bool = Field(
        description="No success for more than a minute after it was due, whatever the reason; "
        "never while paused."
    )
    last_success_at: datetime | None
    last_error: LastError | None
    consecutive_failures: int
    latency_ms: int | None
    rate_remaining: int | None

    @staticmethod
    def resolve_state(account: ProviderAccount) -> str:
        return account.health.value

    @staticmethod
    def resolve_late(account: ProviderAccount) -> bool:
        return account.is_late(timezone.now())

    @staticmethod
    def resolve_last_error(account: ProviderAccount) -> dict[str, Any] | None:
        if not account.last_error_class:
            return None
        return {
            "class": account.last_error_class,
            "message": account.last_error_message,
            "at": account.last_error_at,
        }


class AccountShape(Schema):
    id: Id
    organization: str = Field(validation_alias="organization.slug", description="Its slug.")
    provider: str
    name: str
    base_url: str
    enabled: bool
    capabilities: list[str]
    health: Health
    notice: str | None = Field(
        description="What the account has to do without, such as the provider's list of jobs."
    )
    next_sync_at: datetime

    @staticmethod
    def resolve_capabilities(account: ProviderAccount) -> list[str]:
        return sorted(account.adapter_class.capabilities)

    @staticmethod
    def resolve_health(account: ProviderAccount) -> ProviderAccount:
        return account

    @staticmethod
    def resolve_notice(account: ProviderAccount) -> str | None:
        return describe_list(account) or None


class SavedAccount(AccountShape):
    webhook_url: str | None = Field(
        description="Ours, for the provider's webhooks: a secret. Null where it sends none."
    )
    warnings: list[str] = Field(description="What a person should know, such as a check left out.")


class CheckShape(Schema):
    status: Literal["accepted", "refused", "unanswered"]
    message: str | None = Field(description="Why not; null where they are accepted.")


class ModeShape(Schema):
    enabled: bool


class AccountList(Schema):
    results: list[AccountShape]
    next: None = Field(None, description="Always null: an organization's accounts fit on a page.")
