"""The requests that an account may still send, reserved in the database."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from jobs.models import ProviderAccount, RateBudget
from providers.core.errors import BudgetExhausted

MINUTE_S = 60.0

# When the last request of a second was sent, and how many were in it.
Sent = tuple[float, int]


def reserve_request(account_id: int, bucket: str, per_minute: int, now: datetime) -> float:
    """Reserve one request; the seconds to wait where none is left, else 0.

    No minute, wherever it begins, holds more than `per_minute`. The row is locked meanwhile, so
    that this holds for all workers together.
    """
    at = now.timestamp()
    with transaction.atomic():
        row = _lock(account_id, bucket)
        sent = [(last, count) for last, count in row.sent if abs(at - last) < MINUTE_S]
        if sum(count for _, count in sent) >= per_minute:
            return max(sent[0][0] + MINUTE_S - at, 0.1)
        row.sent = _add_request(sent, at)
        row.save(update_fields=["sent"])
    return 0.0


def _lock(account_id: int, bucket: str) -> RateBudget:
    key = {"account_id": account_id, "bucket": bucket}
    rows = RateBudget.objects.select_for_update().filter(**key)
    row = rows.first()
    if row is None:
        # of two workers that come first one adds it
        RateBudget.objects.bulk_create([RateBudget(**key)], ignore_conflicts=True)
        row = rows.get()
    return row


def _add_request(sent: list[Sent], at: float) -> list[Sent]:
    """Those of one second count as sent when its last one was, so that the list stays short."""
    if not sent:
        return [(at, 1)]
    last, count = sent[-1]
    at = max(at, last)  # another worker's clock may be ahead
    return [*sent[:-1], (at, count + 1)] if int(at) == int(last) else [*sent, (at, 1)]


def limits_of(account: ProviderAccount) -> Mapping[str, int]:
    """Requests a minute by kind of call."""
    override = account.option_int("requests_per_minute", 0)
    return {
        limit.bucket: override or limit.per_minute for limit in account.adapter_class.rate_limits
    }


@dataclass(frozen=True, slots=True)
class RequestUsage:
    """Requests of the last minute, of one kind of call."""

    used: int
    limit: int


def read_usages(
    accounts: Iterable[ProviderAccount], now: datetime
) -> dict[int, dict[str, RequestUsage]]:
    """By account and kind of call that the provider limits, in one query."""
    at = now.timestamp()
    by_id = {account.pk: account for account in accounts}
    sent = {
        (row.account_id, row.bucket): sum(count for last, count in row.sent if at - last < MINUTE_S)
        for row in RateBudget.objects.filter(account__in=list(by_id))
    }
    return {
        pk: {
            bucket: RequestUsage(sent.get((pk, bucket), 0), limit)
            for bucket, limit in limits_of(account).items()
        }
        for pk, account in by_id.items()
    }


def read_usage(accounts: Iterable[ProviderAccount], now: datetime) -> dict[int, RequestUsage]:
    """By account: the kind of call that is nearest to its limit; without those that have none."""
    return {
        pk: max(usages.values(), key=lambda one: (one.used / one.limit, -one.limit))
        for pk, usages in read_usages(accounts, now).items()
        if usages
    }


class Budget:
    """Limits the requests of one pass, whose threads share it.

    Only the thread that made it asks the database; the others use what `reserve_ahead` took for
    them, so that a pool of readers opens no connections.
    """

    def __init__(self, account: ProviderAccount) -> None:
        self._account_id = account.pk
        self._limits = limits_of(account)
        self._owner = threading.get_ident()
        self._lock = threading.Lock()
        self._ahead: Counter[str] = Counter()

    def reserve(self, bucket: str) -> None:
        """Take one request, before it is sent. Raises BudgetExhausted with the wait."""
        if bucket not in self._limits:
            return
        with self._lock:
            if self._ahead[bucket] > 0:
                self._ahead[bucket] -= 1
                return
        if threading.get_ident() != self._owner:
            raise BudgetExhausted("The account has used up its requests for this minute.", wait_s=1)
        self._ask(bucket)

    def reserve_ahead(self, buckets: tuple[str, ...]) -> None:
        """Take one request of each kind for a reader in another thread. Raises as `reserve`."""
        for bucket in buckets:
            if bucket in self._limits:
                self._ask(bucket)
                with self._lock:
                    self._ahead[bucket] += 1

    def _ask(self, bucket: str) -> None:
        wait_s = reserve_request(self._account_id, bucket, self._limits[bucket], timezone.now())
        if wait_s:
            raise BudgetExhausted(
                "The account has used up its requests for this minute.", wait_s=wait_s
            )
