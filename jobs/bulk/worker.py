"""Carrying out bulk actions: short runs, each of which continues where the last one ended.

A run settles what has been answered and asks for more. What it does is written step by step, so
that it may end anywhere.
"""

import time
from datetime import timedelta

import structlog
from django.db.models import Q, QuerySet
from django.utils import timezone

from jobs.bulk.preparing import prepare_chunk
from jobs.bulk.requesting import LEASE, request_next
from jobs.bulk.service import end
from jobs.bulk.settling import ENDED, settle
from jobs.models import ActionState, BulkAction, BulkOutcome, BulkState, BulkTarget
from jobs.models.bulk.action import OPEN_STATES
from jobs.workqueue import leases
from jobs.workqueue.dispatch import MESSAGE_TIMEOUT
from jobs.workqueue.enqueue import enqueue_on_commit
from jobs.workqueue.leases import LeaseLost
from jobs.workqueue.reconnect import DISCONNECTED, retry_on_disconnect
from organizations.models import ApiToken, Membership, Role
from organizations.permissions import Permission, role_allows, scope_allows

log = structlog.get_logger(__name__)

# For how long one run looks for jobs, before others get its thread
PREPARE_S = 3.0
# When what was asked for is looked at again, unless it is answered sooner: with the next tick
WAIT_S = 1.0
ERROR_WAIT_S = 30.0
# Of all bulk actions: their runs leave most threads to other work.
MAX_RUNS = 2


def dispatch() -> None:
    """Send messages for the bulk actions that are due, longest waiting first. One query if none."""
    now = timezone.now()
    due = BulkAction.objects.due(now).undispatched(now)
    waiting = list(due.values_list("pk", flat=True)[:MAX_RUNS])
    room = MAX_RUNS - BulkAction.objects.being_run(now).count() if waiting else 0
    for pk in waiting[: max(room, 0)]:
        # by condition, since another dispatch may have been faster
        if due.filter(pk=pk).order_by().update(dispatched_until=now + MESSAGE_TIMEOUT):
            enqueue_on_commit("run_bulk", pk)


def continue_after_action(action_id: int) -> None:
    """Once an action has ended: have the bulk action that it is of, if any, request the next."""
    ended = ~Q(action__state=ActionState.DUE)
    _continue(BulkTarget.objects.filter(ended, action=action_id))


def continue_after_submission(job_id: int) -> None:
    """Once a submission has ended: as `continue_after_action`."""
    _continue(BulkTarget.objects.filter(new_job=job_id, new_job__submission__state__in=ENDED))


def _continue(targets: QuerySet[BulkTarget]) -> None:
    bulk_id = targets.filter(outcome=BulkOutcome.SENT).values_list("bulk", flat=True).first()
    if bulk_id is None:
        return
    now = timezone.now()
    # What runs now sees in the end that it is due again. Many that end at once make it due once.
    if BulkAction.objects.filter(pk=bulk_id, next_at__gt=now).update(next_at=now):
        dispatch()


def run_bulk(bulk_id: int) -> None:
    """Do the next part of an action that is due. Safe to run twice at a time."""
    now = timezone.now()
    # until then it is not due, unless something that it waits for ends
    bulk = leases.take(
        BulkAction.objects.due(now),
        bulk_id,
        LEASE,
        *("organization", "actor", "token"),
        next_at=now + LEASE,
    )
    if bulk is None:
        return
    wait_s: float | None = ERROR_WAIT_S
    try:
        wait_s = _run(bulk)
    except LeaseLost:
        log.info("bulk action stopped or taken over", bulk=bulk.pk)
        wait_s = 0
    except DISCONNECTED:
        wait_s = 0
        raise
    finally:
        retry_on_disconnect(lambda: _release(bulk, wait_s))
    dispatch()


def _run(bulk: BulkAction) -> float | None:
    """In how many seconds the next run is due; None where nothing is left to do."""
    if bulk.is_open and (refusal := _why_not_allowed(bulk)):
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
        return WAIT_S
    end(bulk, BulkState.DONE)
    return None


def _release(bulk: BulkAction, wait_s: float | None) -> None:
    """Say when the next run is due, unless that has been said meanwhile."""
    unchanged = leases.held(bulk).filter(next_at=bulk.next_at)
    if wait_s is None:
        unchanged.exclude(state__in=OPEN_STATES).update(next_at=None)
    else:
        unchanged.update(next_at=timezone.now() + timedelta(seconds=wait_s))
    leases.release(bulk)


def _why_not_allowed(bulk: BulkAction) -> str:
    """Why it may not go on in the name of who started it; empty where it may."""
    if bulk.token is not None:
        return "" if _token_may_act(bulk.token) else "Its API token is no longer valid."
    members = Membership.objects.filter(organization=bulk.organization_id, user=bulk.actor_id)
    role = members.values_list("role", flat=True).first() if bulk.actor_id else None
    if role is not None and role_allows(Role(role), Permission.ACT):
        return ""
    return "The person who started it may no longer act on jobs here."


def _token_may_act(token: ApiToken) -> bool:
    return token.is_active and scope_allows(token.scope, Permission.ACT)
