"""Carrying out bulk actions in short runs: each settles what is answered, and asks for more."""

import time

from django.db.models import Q, QuerySet

from jobs.bulk.actions.registry import RELATED, action_of
from jobs.bulk.preparing import prepare_chunk
from jobs.bulk.requesting import request_next
from jobs.bulk.service import end
from jobs.bulk.settling import ENDED, settle
from jobs.models import ActionState, BulkAction, BulkOutcome, BulkState, BulkTarget
from jobs.workqueue import leases, short_runs
from jobs.workqueue.short_runs import LEASE, WAIT_S, why_not_allowed
from organizations.permissions import Permission

# For how long one run looks for jobs, before others get its thread
PREPARE_S = 3.0


def dispatch() -> None:
    short_runs.dispatch(BulkAction.objects.all(), "run_bulk")


def continue_after_action(action_id: int) -> None:
    """Once an action has ended: have the bulk action that it is of, if any, request the next."""
    ended = ~Q(action__state=ActionState.DUE)
    _continue(BulkTarget.objects.filter(ended, action=action_id))


def continue_after_submission(job_id: int) -> None:
    """Once a submission has ended: as `continue_after_action`."""
    _continue(BulkTarget.objects.filter(new_job=job_id, new_job__submission__state__in=ENDED))


def _continue(targets: QuerySet[BulkTarget]) -> None:
    bulk_id = targets.filter(outcome=BulkOutcome.SENT).values_list("bulk", flat=True).first()
    if bulk_id is not None:
        short_runs.hasten(BulkAction.objects.all(), bulk_id, "run_bulk")


def run_bulk(bulk_id: int) -> None:
    """Do the next part of an action that is due. Safe to run twice at a time."""
    short_runs.run(BulkAction.objects.all(), bulk_id, "run_bulk", _run, *RELATED)


def _run(bulk: BulkAction) -> float | None:
    """In how many seconds the next run is due; None where nothing is left to do."""
    action = action_of(bulk)
    refusal = why_not_allowed(bulk, Permission.ACT) or action.why_impossible()
    if bulk.is_open and refusal:
        end(bulk, BulkState.STOPPED, refusal)
        bulk.refresh_from_db(fields=["state", "next_at"])
    deadline = time.monotonic() + PREPARE_S
    while bulk.state == BulkState.PREPARING:
        prepare_chunk(bulk)
        # the first jobs do not wait until the last one is found
        settle(bulk)
        request_next(bulk)
        leases.renew(bulk, LEASE)
        if time.monotonic() > deadline:
            break
    is_waiting = settle(bulk)
    if bulk.state == BulkState.STOPPED:
        return WAIT_S if is_waiting else None
    if bulk.state == BulkState.PREPARING:
        return 0
    request_next(bulk)
    if bulk.targets.filter(outcome__in=[BulkOutcome.PENDING, BulkOutcome.SENT]).exists():
        # there is nothing to wait for where no provider answers
        return WAIT_S if action.ASKS_PROVIDER else 0
    end(bulk, BulkState.DONE)
    return None
