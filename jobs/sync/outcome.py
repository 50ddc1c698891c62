"""What the end of a pass leaves on its account: how it is doing, and when it is due again."""

import random
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Min
from django.utils import timezone

from jobs.models import JobPoll, ProviderAccount
from jobs.sync.context import PassContext
from jobs.sync.lease import AccountLease, LeaseLost
from providers.core.contract import Provider
from providers.core.errors import AuthRefused, ProviderError
from providers.core.status import JobStatus

ACTIVE_INTERVAL_S = 10
IDLE_INTERVAL_S = 60
BACK_OFF_S = 15
BACK_OFF_CAP_S = 900


def record_end(context: PassContext, wait_s: float) -> None:
    """`wait_s`: how long a limit asks for. Cut short by one before anything was read, the pass was
    neither a success nor a failure. Raises LeaseLost.
    """
    now = timezone.now()
    due = now + timedelta(seconds=wait_s) if wait_s else _next_sync_at(context.account, now)
    succeeded = context.has_read or not wait_s
    success = _success_columns(context.adapter, now, due) if succeeded else {}
    if not context.lease.release(next_sync_at=due, **success):
        raise LeaseLost


def record_failure(account: ProviderAccount, lease: AccountLease, error: Exception) -> None:
    """Keep why, and come back later: twice as late each time, a little apart from others."""
    now = timezone.now()
    known = error if isinstance(error, ProviderError) else None
    lease.release(
        next_sync_at=now + timedelta(seconds=_back_off_s(account, known)),
        consecutive_failures=F("consecutive_failures") + 1,
        last_error_at=now,
        last_error_class=known.error_class if known else "unknown",
        last_error_message=(str(known) if known else "A fault of our own: see the log.")[:500],
        **({"refused_at": now} if isinstance(error, AuthRefused) else {}),
    )


def _success_columns(adapter: Provider, now: datetime, due: datetime) -> dict[str, Any]:
    return {
        "last_success_at": now,
        "expected_at": due,
        "consecutive_failures": 0,
        "refused_at": None,
        "latency_ms": adapter.http.latency_ms,
        "rate_remaining": adapter.http.rate_remaining,
    }


def _next_sync_at(account: ProviderAccount, now: datetime) -> datetime:
    """Soon while jobs are unfinished, seldom when the account is idle."""
    smallest = timedelta(seconds=account.adapter_class.min_poll_interval_s)
    interval = timedelta(seconds=account.option_int("interval_s", ACTIVE_INTERVAL_S))
    idle = timedelta(seconds=max(account.option_int("idle_interval_s", IDLE_INTERVAL_S), 1))
    first: datetime | None = (
        JobPoll.objects.filter(account=account)
        .exclude(job__status=JobStatus.UNKNOWN)
        .aggregate(first=Min("next_at"))["first"]
    )
    if first is None:
        return now + idle
    return now + max(smallest, min(first - now, interval))


def _back_off_s(account: ProviderAccount, error: ProviderError | None) -> float:
    wait_s: float = min(BACK_OFF_S * 2 ** min(account.consecutive_failures, 10), BACK_OFF_CAP_S)
    wait_s *= random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing
    return max(wait_s, error.wait_s) if error and error.wait_s else wait_s
