"""A native retry: the call is sent, and where its end is not clear, the job is read until it is.

That it was sent is written before it is. After an ambiguous end, only reading the job shows whether
the provider carried it out. Where it did not, the call is sent again, as a submission is.
"""

from datetime import datetime, timedelta

from django.db.models import F
from django.utils import timezone

from jobs.actions.outcome import (
    BACKOFF,
    RETRY_S,
    mark_done,
    record_event,
    refuse,
)
from jobs.mirror import writer
from jobs.mirror.attempts import confirm_attempt
from jobs.models import EventSource, JobAction
from jobs.sync.on_demand import request_sync_soon
from jobs.workqueue import leases
from jobs.workqueue.in_flight import place_for
from jobs.workqueue.leases import postpone
from providers.core.contract import Provider
from providers.core.errors import (
    BudgetExhausted,
    Conflict,
    NotFound,
    ProviderError,
    RateLimited,
)
from providers.core.status import JobStatus

# After an ambiguous end: how often the job is read, and how far apart two reads are that both show
# the old failure before the resubmit counts as not carried out.
CONFIRM_S = 15
UNCONFIRMED_AFTER = timedelta(seconds=60)
MAX_SENDS = 3
UNCONFIRMED = "Not confirmed by the provider"


def resubmit(action: JobAction, adapter: Provider) -> None:
    """Send the resubmit, or find out what became of one that was sent."""
    if action.job.status == JobStatus.SUBMITTING:
        if action.sent_at is None:
            _send_resubmit(action, adapter)
        else:
            _confirm_resubmit(action, adapter)
    else:
        mark_done(action)  # a pass has seen it run


def _send_resubmit(action: JobAction, adapter: Provider) -> None:
    attempt = action.job
    action.sent_at = timezone.now()
    # written first: a run that dies from here on may have sent it
    with place_for(action, attempt):
        unsent = leases.held(action).filter(sent_at__isnull=True)
        if not unsent.update(sent_at=action.sent_at, sends=F("sends") + 1):
            return
    action.sends += 1
    try:
        adapter.resubmit(attempt.remote_id or "")
    except ProviderError as error:
        # refused the second time, since it may run by the first call after all
        if error.ambiguous or (action.sends > 1 and isinstance(error, Conflict)):
            record_event(
                attempt,
                f"No clear response: {error} Checking the job until its status is clear.",
                None,
            )
            postpone(action, RETRY_S, str(error), failures=0)
            return
        if error.transient:  # it did not leave
            leases.held(action).update(sent_at=None, sends=F("sends") - 1)
            action.sent_at = None
        raise
    confirm_attempt(attempt, source=EventSource.ACTION, actor=action.requested_by)
    mark_done(action)
    request_sync_soon(attempt.account)


def _confirm_resubmit(action: JobAction, adapter: Provider) -> None:
    """Read a job that may or may not run again."""
    attempt = action.job
    observed_at = timezone.now()
    try:
        remote = adapter.get_job(attempt.remote_id or "")
    except (BudgetExhausted, RateLimited, NotFound):
        raise
    except ProviderError as error:
        postpone(action, error.wait_s or BACKOFF.wait_s(action.failures), str(error))
        return
    writer.apply(
        attempt.account,
        [remote],
        source=EventSource.ACTION,
        observed_at=observed_at,
        actor=action.requested_by,
    )
    attempt.refresh_from_db(fields=["status"])
    if attempt.status == JobStatus.SUBMITTING:
        _read_again_or_send_again(action, observed_at)
        return
    mark_done(action)
    request_sync_soon(attempt.account)


def _read_again_or_send_again(action: JobAction, observed_at: datetime) -> None:
    """The job still shows its old end: two reads far enough apart confirm that it stays so."""
    first_at = action.first_unchanged_at or observed_at
    if observed_at - first_at < UNCONFIRMED_AFTER:
        leases.held(action).update(first_unchanged_at=first_at)
        postpone(action, CONFIRM_S, action.note, failures=0)
    elif action.sends < MAX_SENDS:
        message = "The job has not changed at the provider for a minute: sending the retry again"
        record_event(action.job, message, None)
        # due at once
        postpone(action, 0, message, failures=0, sent_at=None, first_unchanged_at=None)
    else:
        refuse(action, ProviderError(UNCONFIRMED, error_class="provider.timeout"))
