"""How far what we show of an account can be trusted: its state in words, and since when."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b

from jobs.models import HealthState, ProviderAccount
from providers.core.errors import CLASSES


class Trust(StrEnum):
    """HealthState as the provider's side sees it, and two states of our own side."""

    OK = "ok"
    UNCHECKED = "unchecked"
    IMPORTING = "importing"
    LATE = "late"
    FAILING = "failing"
    REFUSED = "refused"
    PAUSED = "paused"


_OF_HEALTH = {
    HealthState.PAUSED: Trust.PAUSED,
    HealthState.REFUSED: Trust.REFUSED,
    HealthState.FAILING: Trust.FAILING,
}


@dataclass(frozen=True, slots=True)
class Freshness:
    """`synced_at` is the last success, None before the first; `reason` is one sentence or none."""

    account: ProviderAccount
    trust: Trust
    synced_at: datetime | None
    reason: str

    @property
    def word(self) -> str:
        special = {Trust.OK: "OK", Trust.UNCHECKED: "Not checked yet"}
        return special.get(self.trust, self.trust.capitalize())

    @property
    def is_alarming(self) -> bool:
        """Whether pages that show this account's jobs must say so in a banner."""
        return self.trust in (Trust.LATE, Trust.FAILING, Trust.REFUSED)


def freshness(account: ProviderAccount, now: datetime) -> Freshness:
    trust = _OF_HEALTH.get(account.health) or _own_side(account, now)
    return Freshness(account, trust, account.last_success_at, _reason(account, trust, now))


def _own_side(account: ProviderAccount, now: datetime) -> Trust:
    if account.is_late(now):
        return Trust.LATE
    if account.health == HealthState.UNCHECKED:
        return Trust.UNCHECKED
    return Trust.IMPORTING if account.is_importing else Trust.OK


def _reason(account: ProviderAccount, trust: Trust, now: datetime) -> str:
    if trust == Trust.LATE and account.next_sync_at > now:
        return "The provider asked us to wait, or reached its limit of requests."
    if trust == Trust.LATE:
        return "Its sync is overdue. Check that the worker and beat are running."
    if trust == Trust.UNCHECKED:
        return "The provider has not confirmed its credentials yet; the next sync checks them."
    if trust in (Trust.FAILING, Trust.REFUSED):
        known = CLASSES.get(account.last_error_class, CLASSES["unknown"])
        return account.last_error_message or known.sentence
    return ""


def fingerprint(states: Iterable[Freshness]) -> str:
    """Equal for equal strips, so that a poll is answered with one only when it changed."""
    parts = [f"{state.account.pk}:{state.trust}:{state.synced_at}" for state in states]
    return blake2b("|".join(parts).encode(), digest_size=6).hexdigest()
