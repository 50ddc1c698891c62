"""How current what we show of an account is: its status, why, and since when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b

from jobs.models import HealthState, Job, ProviderAccount
from providers.core.errors import CLASSES


class HealthStatus(StrEnum):
    """HealthState, and what the provider has no part in: an import under way, a late sync."""

    OK = "ok"
    UNCHECKED = "unchecked"
    IMPORTING = "importing"
    LATE = "late"
    FAILING = "failing"
    REFUSED = "refused"
    PAUSED = "paused"


_OF_HEALTH = {
    HealthState.PAUSED: HealthStatus.PAUSED,
    HealthState.REFUSED: HealthStatus.REFUSED,
    HealthState.FAILING: HealthStatus.FAILING,
}


@dataclass(frozen=True, slots=True)
class Freshness:
    """`synced_at` is the last success, None before the first; `reason` is one sentence or none."""

    account: ProviderAccount
    status: HealthStatus
    synced_at: datetime | None
    reason: str

    @property
    def label(self) -> str:
        special = {HealthStatus.OK: "OK", HealthStatus.UNCHECKED: "Not checked yet"}
        return special.get(self.status, self.status.capitalize())

    @property
    def remark(self) -> str:
        """What is not fine, in a word or two after the account's name."""
        special = {
            HealthStatus.OK: "",
            HealthStatus.REFUSED: "key refused",
            HealthStatus.UNCHECKED: "not checked",
        }
        return special.get(self.status, self.status.value)

    @property
    def is_alarming(self) -> bool:
        """Whether pages that show this account's jobs must say so in a banner."""
        return self.status in (HealthStatus.LATE, HealthStatus.FAILING, HealthStatus.REFUSED)


def freshness(account: ProviderAccount, now: datetime) -> Freshness:
    status = _find_status(account, now)
    return Freshness(account, status, account.last_success_at, _reason(account, status, now))


def _find_status(account: ProviderAccount, now: datetime) -> HealthStatus:
    if account.health in _OF_HEALTH:
        return _OF_HEALTH[account.health]
    if account.is_late(now):
        return HealthStatus.LATE
    if account.health == HealthState.UNCHECKED:
        return HealthStatus.UNCHECKED
    is_importing = account.is_importing and not account.list_error
    return HealthStatus.IMPORTING if is_importing else HealthStatus.OK


def describe_list(account: ProviderAccount) -> str:
    """That the provider's list cannot be used, and what is read instead; empty where it can."""
    if not account.list_error:
        return ""
    known = Job.objects.filter(
        account=account, is_newest=True, gone_at__isnull=True, remote_id__isnull=False
    ).count()
    jobs = "1 known job is" if known == 1 else f"{known:,} known jobs are"
    return f"Job list not available: {jobs} watched."


def _reason(account: ProviderAccount, status: HealthStatus, now: datetime) -> str:
    if status == HealthStatus.LATE and account.next_sync_at > now:
        return "Waiting for the provider's rate limit."
    if status == HealthStatus.LATE:
        return "Sync is overdue. Check that the worker and beat are running."
    if status == HealthStatus.UNCHECKED:
        return "The credentials have not been checked yet; the next sync checks them."
    if status in (HealthStatus.FAILING, HealthStatus.REFUSED):
        known = CLASSES.get(account.last_error_class, CLASSES["unknown"])
        return account.last_error_message or known.sentence
    return ""


def fingerprint(states: Iterable[Freshness]) -> str:
    """Equal while nothing changed that pages show, so that a poll can be answered without it."""
    parts = [f"{state.account.pk}:{state.status}:{state.synced_at}" for state in states]
    return blake2b("|".join(parts).encode(), digest_size=6).hexdigest()
