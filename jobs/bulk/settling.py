"""Writing down what became of the jobs that were asked for."""

from typing import NamedTuple

from django.db import transaction

from jobs.actions.native_resubmit import UNCONFIRMED
from jobs.actions.worker import MAX_FAILURES
from jobs.bulk.requesting import write_outcome
from jobs.models import (
    ActionState,
    BulkAction,
    BulkOutcome,
    BulkTarget,
    JobAction,
    Submission,
    SubmissionState,
)

# of submissions: what they came to is known, or a person has to find out
ENDED = (SubmissionState.DONE, SubmissionState.REFUSED, SubmissionState.UNCONFIRMED)


class Settled(NamedTuple):
    outcome: BulkOutcome
    reason: str = ""


def settle(bulk: BulkAction) -> bool:
    """Write the outcomes of what has been answered; whether something is still under way."""
    is_waiting = False
    sent = bulk.targets.filter(outcome=BulkOutcome.SENT).select_related("action")
    targets = list(sent.order_by("pk"))
    made = [target.new_job_id for target in targets if target.new_job_id]
    submissions = Submission.objects.filter(pk__in=made).defer("request", "remarks").in_bulk()
    for target in targets:
        settled = _read(target, submissions.get(target.new_job_id or 0))
        if settled is None:
            is_waiting = True
            continue
        with transaction.atomic():
            # in the order in which requests lock
            BulkAction.objects.select_for_update(no_key=True).only("pk").get(pk=bulk.pk)
            # what is different at another account is said of a job that was accepted there
            reason = settled.reason[:500] or target.reason
            write_outcome(bulk, target, settled.outcome, reason=reason)
    return is_waiting


def _read(target: BulkTarget, submission: Submission | None) -> Settled | None:
    """What a target came to; None as long as that is open."""
    if target.action is not None:
        return _read_action(target.action)
    if submission is not None:
        return _read_submission(submission)
    return Settled(BulkOutcome.FAILED, "What was requested has been deleted.")


def _read_action(action: JobAction) -> Settled | None:
    if action.state == ActionState.DUE:
        return None
    if action.state == ActionState.DONE:
        return Settled(BulkOutcome.DONE)
    has_given_up = action.failures >= MAX_FAILURES or action.note == UNCONFIRMED
    return Settled(BulkOutcome.FAILED if has_given_up else BulkOutcome.REFUSED, action.note)


def _read_submission(submission: Submission) -> Settled | None:
    match submission.state:
        case SubmissionState.DONE:
            return Settled(BulkOutcome.DONE)
        case SubmissionState.REFUSED:
            return Settled(BulkOutcome.REFUSED, submission.note)
        case SubmissionState.UNCONFIRMED:
            return Settled(BulkOutcome.FAILED, submission.note)
    return None
