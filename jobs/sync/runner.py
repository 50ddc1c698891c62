"""Running passes: who may work on an account, and what becomes of a failure.

One pass at a time per account, under a lease in its row, so that a second beat, a second
worker or a crash does no harm. No network inside a transaction.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from django.conf import settings
from django.utils import timezone

from jobs.accounts.clients import open_provider, open_with_budget
from jobs.mirror import writer
from jobs.mirror.endings import mark_gone
from jobs.mirror.payload import Shape
from jobs.models import EventSource, Job, ProviderAccount
from jobs.models.account import LEASE
from jobs.sync.context import PassContext
from jobs.sync.lease import take_account
from jobs.sync.outcome import record_end, record_failure
from jobs.sync.rate_limits import LimitWaiter, limit_wait_s
from jobs.sync.report import Progress, Report
from jobs.sync.sync_pass import read_account
from jobs.workqueue import leases
from jobs.workqueue.admission import NotAdmitted, admit
from jobs.workqueue.leases import LeaseLost
from jobs.workqueue.reconnect import DISCONNECTED, retry_on_disconnect
from jobs.workqueue.slots import Work
from providers.core.errors import BudgetExhausted, NotFound, ProviderError, RateLimited
from providers.core.types import RemoteJob

log = structlog.get_logger(__name__)

# Ends well before the lease does; the last request may add its own limit of 60 s at the most
# only where it began before this, and HttpClient cuts that short.
PASS_DEADLINE_S = 120.0 / settings.RECOVERY_SPEEDUP

# After our own database was away.
RETRY_S = 5


@dataclass(frozen=True)
class Mode:
    foreground: bool = False
    full: bool = False
    on_progress: Progress | None = None


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
    crawls the whole list and looks for jobs that vanished.
    """
    account = take_account(account_id, wait=foreground)
    if account is None:
        return None
    mode = Mode(foreground, full, on_progress)
    try:
        if foreground:
            return _run_pass(account, mode)
        if not account.enabled or account.refused_at:
            leases.release(account)  # since the message was sent
            return None
        with admit(account.host, Work.SYNC, is_unreliable=account.is_unreliable):
            return _run_pass(account, mode)
    except NotAdmitted:
        leases.release(account)  # it stays due
        return None
    except DISCONNECTED:
        # nobody's failure: another pass does it again, soon
        due = timezone.now() + timedelta(seconds=RETRY_S)
        retry_on_disconnect(lambda: leases.release(account, next_sync_at=due))
        raise


def _run_pass(account: ProviderAccount, mode: Mode) -> Report:
    report = Report(str(account.pk))
    started = time.monotonic()
    try:
        _read(account, mode, report)
    except LeaseLost:
        report.ok, report.error = False, "The account was changed, or another worker took it over."
    except ProviderError as error:
        report.ok, report.error = False, str(error)
        record_failure(account, error)
    except DISCONNECTED:
        raise
    except Exception as error:
        # an internal error: shown on the account, and raised for the log
        record_failure(account, error)
        raise
    finally:
        report.duration_ms = round((time.monotonic() - started) * 1000)
    log.info("synced", account=account.pk, **{k: v for k, v in vars(report).items() if k != "id"})
    return report


def _read(account: ProviderAccount, mode: Mode, report: Report) -> None:
    deadline_s = None if mode.foreground else PASS_DEADLINE_S
    opened = open_with_budget(account, deadline_s=deadline_s, is_patient=mode.foreground)
    with opened as (adapter, budget):
        limits = LimitWaiter(partial(leases.renew, account, LEASE), foreground=mode.foreground)
        context = PassContext(account, adapter, budget, limits, report)
        try:
            wait_s = _read_until_limit(context, mode)
        finally:
            report.requests = adapter.http.requests
        record_end(context, wait_s)


def _read_until_limit(context: PassContext, mode: Mode) -> float:
    """Read the account; returns how long the limit that ended the pass asks for, 0 without one."""
    try:
        read_account(context, full=mode.full, on_progress=mode.on_progress)
    except (BudgetExhausted, RateLimited) as limit:
        if mode.foreground:
            raise  # it has waited, and in vain
        return limit_wait_s(limit)
    except ProviderError:
        if context.adapter.http.time_left_s != 0:
            raise
        return 1.0  # our own deadline cut the last request short: the next pass goes on
    return 0.0


def refresh_one(
    account: ProviderAccount,
    remote_id: str,
    *,
    source: EventSource,
    deadline_s: float = PASS_DEADLINE_S,
) -> None:
    """Read one job and apply it, beside any pass. Raises ProviderError but for NotFound."""

    def read() -> RemoteJob:
        with open_provider(account, deadline_s=deadline_s) as adapter:
            return adapter.get_job(remote_id)

    apply_read(account, remote_id, read, source=source)


def apply_read(
    account: ProviderAccount,
    remote_id: str,
    read: Callable[[], RemoteJob],
    *,
    source: EventSource,
) -> None:
    """Apply the job that `read` returns, or its NotFound. Raises what else `read` raises."""
    observed_at = timezone.now()
    try:
        remote = read()
    except NotFound:
        job = Job.objects.filter(account=account, remote_id=remote_id, is_newest=True).first()
        if job is not None:
            mark_gone(account, job, source=source, observed_at=observed_at)
    else:
        writer.apply(account, [remote], source=source, observed_at=observed_at, shape=Shape.DETAIL)
