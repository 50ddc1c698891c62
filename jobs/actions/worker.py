"""Carrying out one action that is due, at its provider."""

import structlog
from django.db.models import F
from django.utils import timezone

from jobs.accounts.clients import open_provider
from jobs.actions.cancellation import cancel
from jobs.actions.native_resubmit import resubmit
from jobs.actions.outcome import BACKOFF, INTERNAL_ERROR, RETRY_S, refuse
from jobs.models import ActionKind, EventSource, Job, JobAction
from jobs.sync.on_demand import request_sync_soon
from jobs.sync.runner import refresh_one
from jobs.workqueue import leases
from jobs.workqueue.admission import admit, probe_first
from jobs.workqueue.in_flight import AccountFull
from jobs.workqueue.leases import CALL_DEADLINE_S, CALL_LEASE, LeaseLost, postpone
from jobs.workqueue.reconnect import DISCONNECTED, retry_on_disconnect
from jobs.workqueue.slots import Work
from providers.core.errors import BudgetExhausted, ProviderError, RateLimited

log = structlog.get_logger(__name__)

MAX_FAILURES = 6


def run_action(action_id: int) -> None:
    """Carry one action out. Safe to run twice at a time."""
    due = JobAction.objects.due(timezone.now())
    # counted before the try, so that a crash counts as well
    failures = F("failures") + 1
    action = leases.take(
        due, action_id, CALL_LEASE, "job__account", "actor", "token", failures=failures
    )
    if action is None:
        return
    try:
        _carry_out(action)
    except AccountFull:
        # due as before: the next dispatch in which there is room for it sends it
        leases.held(action).update(failures=action.failures - 1)
    except (BudgetExhausted, RateLimited) as error:
        # not carried out and no failure: it waits for its turn
        postpone(action, error.wait_s or RETRY_S, str(error), failures=action.failures - 1)
    except ProviderError as error:
        if (error.transient or error.ambiguous) and action.failures < MAX_FAILURES:
            postpone(action, error.wait_s or BACKOFF.wait_s(action.failures), str(error))
        elif refuse(action, error):
            _show_end(action.job, error)
    except LeaseLost:
        log.warning("lease lost before the call", action=action.pk)
    except DISCONNECTED:
        raise  # no failure of the action: it is still due
    except Exception:
        # shown on the job, and raised for the log
        if action.failures < MAX_FAILURES or action.sent_at:
            postpone(action, BACKOFF.wait_s(action.failures), INTERNAL_ERROR)
        else:
            refuse(action, ProviderError(INTERNAL_ERROR))
        raise
    finally:
        retry_on_disconnect(lambda: leases.release(action))


def _carry_out(action: JobAction) -> None:
    account = action.job.account
    with (
        admit(account.host, Work.INTERACTIVE),
        open_provider(account, deadline_s=CALL_DEADLINE_S) as adapter,
    ):
        probe_first(adapter)
        # from here the lease outlives the adapter's deadline
        leases.renew(action, CALL_LEASE)
        if action.kind == ActionKind.CANCEL:
            cancel(action, adapter)
        else:
            resubmit(action, adapter)


def _show_end(job: Job, refusal: ProviderError) -> None:
    """Show what the job is now: a refusal often means that it ended meanwhile."""
    if refusal.transient:
        # the host may not respond, and the thread's slot is released already
        request_sync_soon(job.account)
        return
    try:
        refresh_one(job.account, job.remote_id or "", source=EventSource.ACTION)
    except ProviderError:
        request_sync_soon(job.account)
