"""Sending one submission that is due, or looking for what an earlier run may have sent.

The row exists before the call, and a key of ours travels with the request.
"""

import structlog
from django.db.models import F
from django.utils import timezone

from jobs.accounts.clients import open_provider
from jobs.models import Submission, SubmissionState
from jobs.models.fields import Undecryptable
from jobs.submission.outcome import (
    RETRY_S,
    bind_remote_job,
    find_owner,
    give_up,
    record_event,
    refuse,
    retry_later,
    settle,
)
from jobs.submission.recovery import LOOKS_S, look_for
from jobs.submission.stored_request import load_request
from jobs.workqueue import leases
from jobs.workqueue.backoff import Backoff
from jobs.workqueue.hosts import WAITING, NotAdmitted, admit, ask_first
from jobs.workqueue.leases import CALL_DEADLINE_S, CALL_LEASE, LeaseLost
from jobs.workqueue.reconnect import CUT, insist
from jobs.workqueue.seats import Work
from providers.core.contract import Provider
from providers.core.errors import BudgetExhausted, ProviderError, RateLimited

log = structlog.get_logger(__name__)

BACKOFF = Backoff(first_s=RETRY_S, cap_s=900)


def run_submission(job_id: int) -> None:
    """Send, or look for, one submission that is due. Safe to run twice at a time."""
    due = Submission.objects.due(timezone.now())
    submission = leases.take(due, job_id, CALL_LEASE, "job__account")
    if submission is None:
        return
    try:
        _send_or_look(submission)
    except (BudgetExhausted, RateLimited) as error:
        retry_later(submission, error.wait_s or RETRY_S, str(error))
    except (ProviderError, Undecryptable) as error:
        retry_later(submission, BACKOFF.wait_s(submission.failures + 1), str(error), failed=True)
    except LeaseLost:
        log.warning("lease lost before the call", job=job_id)
    except CUT:
        raise  # nobody's failure: it is still due
    except Exception:
        # our own fault: told on the job, and raised for the log
        note = "A fault of our own: see the log."
        retry_later(submission, BACKOFF.wait_s(submission.failures + 1), note, failed=True)
        raise
    finally:
        insist(lambda: leases.release(submission))


def _send_or_look(submission: Submission) -> None:
    if submission.job.remote_id:
        # the list brought it, by its key, before the answer did
        settle(submission, SubmissionState.DONE)
        return
    account = submission.job.account
    with (
        admit(account.host, Work.PEOPLE),
        open_provider(account, deadline_s=CALL_DEADLINE_S) as adapter,
    ):
        if submission.state == SubmissionState.DUE:
            ask_first(adapter)
            _send(submission, adapter)
        else:
            # a run that died while sending counts as an ambiguous end
            look_for(submission, adapter)


def _send(submission: Submission, adapter: Provider) -> None:
    request = load_request(submission.request)
    sent_at = timezone.now()
    is_still_ours = (
        leases.held(submission)
        .filter(state=SubmissionState.DUE)
        .update(
            state=SubmissionState.SENDING,
            sent_at=sent_at,
            sends=F("sends") + 1,
            empty_looks=0,
            first_empty_look_at=None,
            note="",
        )
    )
    if not is_still_ours:
        raise LeaseLost
    try:
        remote = adapter.submit(request, submission.key)
    except ProviderError as error:
        _end_without_answer(submission, adapter, error)
        return
    if not remote.remote_id:
        refuse(submission, ProviderError("The provider took the request but created no job."))
        return
    other = find_owner(submission, remote.remote_id)
    if other is not None:
        give_up(submission, f"It answered with the id of job {other.pk}.")
        return
    bind_remote_job(submission, remote, sent_at)


def _end_without_answer(submission: Submission, adapter: Provider, error: ProviderError) -> None:
    """What a failed request means: maybe carried out, not sent, or refused."""
    job = submission.job
    if error.ambiguous:
        log.warning("ambiguous submission", job=job.pk, error=str(error))
        record_event(job, f"No clear answer: {error} Looking for the job at the provider.")
        leases.held(submission).update(failures=0)
        settle(submission, SubmissionState.LOOKING, wait_s=LOOKS_S[0])
    elif error.transient:
        # it did not leave: the same send again, later
        leases.held(submission).update(state=SubmissionState.DUE, sends=F("sends") - 1)
        if adapter.http.is_unproven:
            # or as soon as anybody has an answer of the host
            raise NotAdmitted(WAITING, wait_s=RETRY_S) from error
        raise error
    else:
        refuse(submission, error)
