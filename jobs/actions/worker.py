"""Carrying out what was asked for: one action that is due, at its provider."""

from datetime import timedelta

from django.db.models import F
from django.utils import timezone

from jobs.accounts.clients import open_provider
from jobs.actions.cancellation import cancel
from jobs.actions.native_resubmit import resubmit
from jobs.actions.outcome import RETRY_S, back_off_s, held, refuse, retry_later
from jobs.models import ActionKind, EventSource, Job, JobAction
from jobs.sync.request import request_sync_soon
from jobs.sync.runner import refresh_one
from jobs.workqueue.hosts import admit, ask_first
from jobs.workqueue.reconnect import CUT, insist
from jobs.workqueue.seats import Work
from providers.core.errors import BudgetExhausted, ProviderError, RateLimited

LEASE = timedelta(seconds=100)
DEADLINE_S = 75.0
MAX_FAILURES = 6


def run_action(action_id: int) -> None:
    """Carry one asked-for action out. Safe to run twice at a time."""
    action = _claim(action_id)
    if action is None:
        return
    try:
        _carry_out(action)
    except (BudgetExhausted, RateLimited) as error:
        # not carried out, and no failure: it only waits for its turn
        retry_later(action, error.wait_s or RETRY_S, str(error), failures=action.failures - 1)
    except ProviderError as error:
        if (error.transient or error.ambiguous) and action.failures < MAX_FAILURES:
            retry_later(action, error.wait_s or back_off_s(action), str(error))
        elif refuse(action, error):
            _show_end(action.job, error)
    except CUT:
        raise  # nobody's failure: it is still due
    except Exception:
        # our own fault: told on the job, and raised for the log
        sentence = "A fault of our own: see the log."
        if action.failures < MAX_FAILURES or action.sent_at:
            retry_later(action, back_off_s(action), sentence)
        else:
            refuse(action, ProviderError(sentence))
        raise
    finally:
        insist(lambda: held(action).update(leased_until=None))


def _claim(action_id: int) -> JobAction | None:
    """The action under a lease of this run, with one more failure until it has ended well."""
    now = timezone.now()
    lease = now + LEASE
    due = JobAction.objects.due(now).filter(pk=action_id).order_by()
    if not due.update(leased_until=lease, failures=F("failures") + 1):
        return None
    claimed = JobAction.objects.filter(pk=action_id, leased_until=lease)
    return claimed.select_related("job__account", "actor").first()


def _carry_out(action: JobAction) -> None:
    account = action.job.account
    with (
        admit(account.host, Work.PEOPLE),
        open_provider(account, deadline_s=DEADLINE_S) as adapter,
    ):
        ask_first(adapter)
        # from here the lease outlives the adapter's deadline
        if not _renew(action):
            return
        if action.kind == ActionKind.CANCEL:
            cancel(action, adapter)
        else:
            resubmit(action, adapter)


def _renew(action: JobAction) -> bool:
    """Whether this run still has the action: one that was stopped past its lease must not act."""
    lease = timezone.now() + LEASE
    is_ours = bool(held(action).update(leased_until=lease))
    if is_ours:
        action.leased_until = lease
    return is_ours


def _show_end(job: Job, refusal: ProviderError) -> None:
    """Show what the job is now: a refusal often means that it ended meanwhile."""
    if refusal.transient:
        # the host may not answer, and the seat for waiting is given back already
        request_sync_soon(job.account)
        return
    try:
        refresh_one(job.account, job.remote_id or "", source=EventSource.ACTION)
    except ProviderError:
        request_sync_soon(job.account)
