"""Sending one submission that is due, or searching for what an earlier run may have sent.

The row exists before the call, and a key of ours travels with the request.
"""

from datetime import datetime

import structlog
from django.db.models import F
from django.utils import timezone

from jobs.accounts.clients import open_provider
from jobs.models import Submission, SubmissionState
from jobs.submission.outcome import (
    bind_remote_job,
    find_other_submission,
    mark_refused,
    mark_unconfirmed,
    record_event,
    retry_later,
    set_state,
)
from jobs.submission.recovery import LOOKUP_DELAYS_S, search_by_key
from jobs.submission.stored_request import load_request
from jobs.submission.validation import resolve_or_reject
from jobs.workqueue import leases
from jobs.workqueue.admission import NotAdmitted, admit, probe_first
from jobs.workqueue.backoff import Backoff
from jobs.workqueue.circuit_breaker import WAITING
from jobs.workqueue.in_flight import AccountFull, place_for
from jobs.workqueue.leases import CALL_DEADLINE_S, CALL_LEASE, LeaseLost
from jobs.workqueue.reconnect import DISCONNECTED, retry_on_disconnect
from jobs.workqueue.slots import Work
from organizations.encryption import Undecryptable
from providers.core.contract import Provider
from providers.core.errors import BudgetExhausted, ProviderError, RateLimited, Rejected
from providers.core.types import JobRequest

log = structlog.get_logger(__name__)

RETRY_S = 10
BACKOFF = Backoff(first_s=RETRY_S, cap_s=900)


def run_submission(job_id: int) -> None:
    """Send one submission that is due, or search for it. Safe to run twice at a time."""
    due = Submission.objects.due(timezone.now())
    submission = leases.take(due, job_id, CALL_LEASE, "job__account")
    if submission is None:
        return
    try:
        _send_or_search(submission)
    except AccountFull:
        pass  # due as before: the next dispatch in which there is room for it sends it
    except (BudgetExhausted, RateLimited) as error:
        retry_later(submission, error.wait_s or RETRY_S, str(error))
    except (ProviderError, Undecryptable) as error:
        retry_later(submission, BACKOFF.wait_s(submission.failures + 1), str(error), failed=True)
    except LeaseLost:
        log.warning("lease lost before the call", job=job_id)
    except DISCONNECTED:
        raise  # no failure of the submission: it is still due
    except Exception:
        # shown on the job, and raised for the log
        note = "Internal error; see the server log."
        retry_later(submission, BACKOFF.wait_s(submission.failures + 1), note, failed=True)
        raise
    finally:
        retry_on_disconnect(lambda: leases.release(submission))


def _send_or_search(submission: Submission) -> None:
    if submission.job.remote_id:
        # a sync found it by its key before the response came
        set_state(submission, SubmissionState.DONE)
        return
    account = submission.job.account
    with (
        admit(account.host, Work.INTERACTIVE),
        open_provider(account, deadline_s=CALL_DEADLINE_S) as adapter,
    ):
        if submission.state == SubmissionState.DUE:
            probe_first(adapter)
            _send(submission, adapter)
        else:
            # a run that died while sending counts as an ambiguous end
            search_by_key(submission, adapter)


def _send(submission: Submission, adapter: Provider) -> None:
    try:
        request = _read_request(submission)
    except Rejected as error:
        mark_refused(submission, error)
        return
    sent_at = timezone.now()
    _mark_sending(submission, sent_at)
    try:
        remote = adapter.submit(request, submission.key)
    except ProviderError as error:
        _handle_error(submission, adapter, error)
        return
    if not remote.remote_id:
        refusal = ProviderError("The provider accepted the request but created no job.")
        mark_refused(submission, refusal)
        return
    other = find_other_submission(submission, remote.remote_id)
    if other is not None:
        mark_unconfirmed(submission, f"The provider returned the id of job {other.pk}.")
        return
    bind_remote_job(submission, remote, sent_at)


def _read_request(submission: Submission) -> JobRequest:
    """The complete request, with the credentials of what it names. Raises Rejected."""
    job = submission.job
    request = resolve_or_reject(job.account, load_request(submission.request))
    # some providers would look for the name in their own storage
    if "://" in job.input_url and "://" not in request.input:
        raise Rejected("The stored source that the input names has been deleted.")
    return request


def _mark_sending(submission: Submission, sent_at: datetime) -> None:
    """Written before the call: a run that dies from here on may have sent it.

    Raises LeaseLost, AccountFull.
    """
    due = leases.held(submission).filter(state=SubmissionState.DUE)
    with place_for(submission, submission.job):
        if not due.update(
            state=SubmissionState.SENDING,
            sent_at=sent_at,
            sends=F("sends") + 1,
            empty_lookups=0,
            first_empty_lookup_at=None,
            note="",
        ):
            raise LeaseLost


def _handle_error(submission: Submission, adapter: Provider, error: ProviderError) -> None:
    """Decide by what the error leaves open: maybe carried out, not sent, or refused."""
    job = submission.job
    if error.ambiguous:
        log.warning("ambiguous submission", job=job.pk, error=str(error))
        record_event(job, f"No clear response: {error} Searching for the job at the provider.")
        leases.held(submission).update(failures=0)
        set_state(submission, SubmissionState.VERIFYING, wait_s=LOOKUP_DELAYS_S[0])
    elif error.transient:
        # it was not sent: try the same send again later
        leases.held(submission).update(state=SubmissionState.DUE, sends=F("sends") - 1)
        if adapter.http.is_unproven:
            # or as soon as any call to the host is answered
            raise NotAdmitted(WAITING, wait_s=RETRY_S) from error
        raise error
    else:
        mark_refused(submission, error)
