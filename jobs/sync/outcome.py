"""What the end of a pass leaves on its account: how it is doing, and when it is due again."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Min
from django.utils import timezone

from jobs.models import JobPoll, ProviderAccount
from jobs.sync.context import PassContext
from jobs.workqueue import leases
from jobs.workqueue.backoff import Backoff
from jobs.workqueue.leases import LeaseLost
from providers.core.errors import AuthRefused, ProviderError
from providers.core.status import JobStatus

ACTIVE_INTERVAL_S = 10
IDLE_INTERVAL_S = 60
BACKOFF = Backoff(first_s=15, cap_s=900, spread=0.2)


def record_end(context: PassContext, wait_s: float) -> None:
    """`wait_s`: how long a limit asks for. Cut short by one before anything was read, the pass was
    neither a success nor a failure. Raises LeaseLost.
    """
    now = timezone.now()
    due = now + timedelta(seconds=wait_s) if wait_s else _next_sync_at(context.account, now)
    succeeded = context.has_read or not wait_s
    success = _success_columns(context, now, due) if succeeded else {}
    if not leases.release(context.account, next_sync_at=due, **success):
        raise LeaseLost


def record_failure(account: ProviderAccount, error: Exception) -> None:
    """Keep why, and come back later: twice as late each time, a little apart from others."""
    now = timezone.now()
    known = error if isinstance(error, ProviderError) else None
    wait_s = BACKOFF.wait_s(account.consecutive_failures + 1)
    leases.release(
        account,
        next_sync_at=now + timedelta(seconds=max(wait_s, (known and known.wait_s) or 0)),
        consecutive_failures=F("consecutive_failures") + 1,
        last_error_at=now,
        last_error_class=known.error_class if known else "unknown",
        last_error_message=(str(known) if known else "Internal error; see the server log.")[:500],
        **({"refused_at": now} if isinstance(error, AuthRefused) else {}),
    )


def _success_columns(context: PassContext, now: datetime, due: datetime) -> dict[str, Any]:
    adapter = context.adapter
    return {
        "last_success_at": now,
        "expected_at": due,
        "consecutive_failures": 0,
        "refused_at": None,
        "list_error": context.list_error[:500],
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
        .exclude(job__status=JobStatus.UNKNOWN, job__observed_at__isnull=False)
        .aggregate(first=Min("next_at"))["first"]
    )
    if first is None:
        return now + idle
    return now + max(smallest, min(first - now, interval))
