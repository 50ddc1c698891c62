"""Provider accounts and their health."""

from datetime import datetime
from typing import Any, Literal

from django.utils import timezone
from ninja import Field, Schema

from jobs.accounts.freshness import describe_list
from jobs.api.schemas.fields import ErrorClassName, Id
from jobs.models import HealthState, ProviderAccount
from providers.core.errors import CLASSES
from providers.core.types import Capability


class LastError(Schema):
    class_: ErrorClassName = Field(alias="class", description="Ours, the same at every provider.")
    message: str = Field(description="What the provider reported, or what we found.")
    at: datetime | None = Field(description="When it last occurred.")


class Health(Schema):
    state: HealthState = Field(
        description="`unchecked`: its credentials were saved without an answer; `refused`: the "
        "provider refuses them, and syncing has stopped."
    )
    late: bool = Field(
        description="No success for more than a minute after it was due, whatever the reason; "
        "never while paused."
    )
    last_success_at: datetime | None = Field(description="When it was last synced.")
    last_error: LastError | None = Field(description="The last failure, also after a success.")
    consecutive_failures: int = Field(description="Failed syncs since the last success.")
    latency_ms: int | None = Field(description="How long the provider last took to answer.")
    rate_remaining: int | None = Field(description="Calls that the provider's rate limit leaves.")

    @staticmethod
    def resolve_state(account: ProviderAccount) -> HealthState:
        return account.health

    @staticmethod
    def resolve_late(account: ProviderAccount) -> bool:
        return account.is_late(timezone.now())

    @staticmethod
    def resolve_last_error(account: ProviderAccount) -> dict[str, Any] | None:
        if not account.last_error_class:
            return None
        return {
            "class": CLASSES.get(account.last_error_class, CLASSES["unknown"]).name,
            "message": account.last_error_message,
            "at": account.last_error_at,
        }


class AccountShape(Schema):
    id: Id = Field(description="Our id of the account.")
    organization: str = Field(validation_alias="organization.slug", description="Its slug.")
    provider: str = Field(description="The slug of its provider.")
    name: str = Field(description="Its name, which is unique in the organization.")
    base_url: str = Field(description="Where its provider is called.")
    enabled: bool = Field(description="False while it is paused.")
    capabilities: list[Capability] = Field(description="What its provider can do.")
    health: Health = Field(description="How syncing it goes.")
    notice: str | None = Field(
        description="What the account has to do without, such as the provider's list of jobs."
    )
    next_sync_at: datetime = Field(description="When it is synced next.")

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
    status: Literal["accepted", "refused", "unanswered"] = Field(
        description="What the provider made of the credentials."
    )
    message: str | None = Field(description="Why not; null where they are accepted.")


class ModeShape(Schema):
    enabled: bool = Field(description="Whether all new jobs are test jobs.")


class AccountList(Schema):
    results: list[AccountShape] = Field(description="The accounts.")
    next: None = Field(None, description="Always null: an organization's accounts fit on a page.")
