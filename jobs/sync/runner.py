"""Keeping the mirror of one account true: who may, when, and what becomes of a failure.

One pass at a time per account, under a lease in its row, so that a second beat, a second
worker or a crash does no harm. No network inside a transaction.
"""

import random
import time
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from django.db.models import F, Min
from django.utils import timezone

from jobs.accounts.clients import open_provider, open_with_budget
from jobs.mirror import writer
from jobs.models import EventSource, Job, JobPoll, ProviderAccount, ProviderHost
from jobs.models.account import LEASE
from jobs.sync.crawl import LeaseLost, Progress, Report, SyncPass, limit_wait_s
from jobs.workqueue.hosts import NotAdmitted, admit
from jobs.workqueue.reconnect import CUT, insist
from jobs.workqueue.seats import Work
from providers.core.contract import Provider
from providers.core.errors import AuthRefused, BudgetExhausted, NotFound, ProviderError, RateLimited
from providers.core.status import JobStatus

log = structlog.get_logger(__name__)

# Ends well before the lease does; the last request may add its own limit of 60 s at the most
# only where it began before this, and HttpClient cuts that short.
PASS_DEADLINE_S = 120.0

ACTIVE_INTERVAL_S = 10
IDLE_INTERVAL_S = 60
BACK_OFF_S = 15
# After our own database was away.
RETRY_S = 5
BACK_OFF_CAP_S = 900


def request_sync(account: ProviderAccount) -> None:
    """Make the account due at once, a refusal and the back-off forgotten."""
    now = timezone.now()
    row = ProviderAccount.objects.filter(pk=account.pk)
    # while it was refused nobody expected a success
    row.filter(refused_at__isnull=False).update(expected_at=now)
    row.update(next_sync_at=now, refused_at=None)
    ProviderHost.objects.filter(pk=account.host).update(next_try_at=now)


def sync_account(
    account_id: int,
    *,
    foreground: bool = False,
    full: bool = False,
    on_progress: Progress | None = None,
) -> Report | None:
    """Run one pass; None when another worker has the account.

    In the background a pass is bounded in time and gives way when the rate budget is used up;
    in the foreground it waits for both and goes on until the first import is complete. `full`
    walks the whole list and looks for jobs that vanished.
    """
    lease = _take_lease(account_id, wait=foreground)
    if lease is None:
        return None
    try:
        account = ProviderAccount.objects.get(pk=account_id)
        if foreground:
            return _run_pass(account, lease, foreground, full, on_progress)
        if not account.enabled or account.refused_at:
            _release(account_id, lease)  # since the message was sent
            return None
        with admit(account.host, Work.SYNC, is_doubtful=account.is_doubtful):
            return _run_pass(account, lease, foreground, full, on_progress)
    except NotAdmitted:
        _release(account_id, lease)  # it stays due
        return None
    except CUT:
        # nobody's failure: another pass does it again, soon
        due = timezone.now() + timedelta(seconds=RETRY_S)
        insist(lambda: _release(account_id, lease, next_sync_at=due))
        raise


def _run_pass(
    account: ProviderAccount,
    lease: UUID,
    foreground: bool,
    full: bool,
    on_progress: Progress | None,
) -> Report:
    report = Report(str(account.pk))
    started = time.monotonic()
    try:
        deadline_s = None if foreground else PASS_DEADLINE_S
        opened = open_with_budget(account, deadline_s=deadline_s, is_patient=foreground)
        with opened as (adapter, budget):
            work = SyncPass(account, adapter, budget, lease, report, foreground, on_progress)
            wait_s = 0.0
            try:
                work.run(full=full)
            except (BudgetExhausted, RateLimited) as limit:
                if foreground:
                    raise  # it has waited, and in vain
                wait_s = limit_wait_s(limit)
            except ProviderError:
                if adapter.http.time_left_s != 0:
                    raise
                wait_s = 1  # our own deadline cut the last request short: the next pass goes on
            finally:
                report.requests = adapter.http.requests
            # cut short before anything was read, it was neither a success nor a failure
            succeeded = work.has_read or not wait_s
            if succeeded:
                _note_success(account, adapter)
            _finish(account, lease, wait_s, succeeded=succeeded)
    except LeaseLost:
        report.ok, report.error = False, "Another worker took this account over."
    except ProviderError as error:
        report.ok, report.error = False, str(error)
        _note_failure(account, lease, error)
    except CUT:
        raise
    except Exception as error:
        # our own fault: told on the account, and raised for the log
        _note_failure(account, lease, error)
        raise
    finally:
        report.duration_ms = round((time.monotonic() - started) * 1000)
    log.info("synced", account=account.pk, **{k: v for k, v in vars(report).items() if k != "id"})
    return report


def refresh_one(
    account: ProviderAccount,
    remote_id: str,
    *,
    source: EventSource,
    deadline_s: float = PASS_DEADLINE_S,
) -> None:
    """Read one job and apply it, beside any pass. Raises ProviderError but for NotFound."""
    observed_at = timezone.now()
    with open_provider(account, deadline_s=deadline_s) as adapter:
        try:
            remote = adapter.get_job(remote_id)
        except NotFound:
            job = Job.objects.filter(account=account, remote_id=remote_id, is_newest=True).first()
            if job is not None:
                writer.mark_gone(account, job, source=source, observed_at=observed_at)
            return
    writer.apply(account, [remote], source=source, observed_at=observed_at)


def _take_lease(account_id: int, *, wait: bool) -> UUID | None:
    give_up_at = time.monotonic() + LEASE.total_seconds() + 5
    while True:
        lease = ProviderAccount.objects.claim(account_id, timezone.now())
        if lease is not None or not wait or time.monotonic() > give_up_at:
            return lease
        time.sleep(0.5)


def _release(account_id: int, lease: UUID, **values: Any) -> None:
    ProviderAccount.objects.filter(pk=account_id, lease=lease).update(
        lease=None, leased_until=None, **values
    )


def _finish(account: ProviderAccount, lease: UUID, wait_s: float, *, succeeded: bool) -> None:
    now = timezone.now()
    due = now + timedelta(seconds=wait_s) if wait_s else _next_sync(account, now)
    expected = {"expected_at": due} if succeeded else {}
    _release(account.pk, lease, next_sync_at=due, **expected)


def _next_sync(account: ProviderAccount, now: datetime) -> datetime:
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


def _note_success(account: ProviderAccount, adapter: Provider) -> None:
    ProviderAccount.objects.filter(pk=account.pk).update(
        last_success_at=timezone.now(),
        consecutive_failures=0,
        refused_at=None,
        latency_ms=adapter.http.latency_ms,
        rate_remaining=adapter.http.rate_remaining,
    )


def _note_failure(account: ProviderAccount, lease: UUID, error: Exception) -> None:
    """Keep why, and come back later: twice as late each time, a little apart from others."""
    now = timezone.now()
    known = error if isinstance(error, ProviderError) else None
    failures = account.consecutive_failures + 1
    wait_s = min(BACK_OFF_S * 2 ** min(failures - 1, 10), BACK_OFF_CAP_S)
    wait_s *= random.uniform(0.8, 1.2)  # noqa: S311 - spreads load, guards nothing
    if known is not None and known.wait_s:
        wait_s = max(wait_s, known.wait_s)
    _release(
        account.pk,
        lease,
        next_sync_at=now + timedelta(seconds=wait_s),
        consecutive_failures=F("consecutive_failures") + 1,
        last_error_at=now,
        last_error_class=known.error_class if known else "unknown",
        last_error_message=(str(known) if known else "A fault of our own: see the log.")[:500],
        **({"refused_at": now} if isinstance(error, AuthRefused) else {}),
    )
