"""Carrying out bulk actions: short runs, each of which continues where the last one ended.

A run settles what has been answered and asks for more. What it does is written step by step, so
that it may end anywhere.
"""

import time
from datetime import timedelta

import structlog
from django.utils import timezone

from jobs.bulk.preparing import prepare_chunk
from jobs.bulk.requesting import LEASE, request_next
from jobs.bulk.service import end
from jobs.bulk.settling import settle
from jobs.models import BulkAction, BulkOutcome, BulkState
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
# When what was asked for is looked at again: with the next tick
WAIT_S = 1.0
ERROR_WAIT_S = 30.0
# Messages of one tick: their runs leave most threads to other work.
MAX_MESSAGES = 2


def dispatch() -> None:
    """Send messages for the bulk actions that are due, longest waiting first. One query if none."""
    now = timezone.now()
    due = BulkAction.objects.due(now).undispatched(now)
    for pk in list(due.values_list("pk", flat=True)[:MAX_MESSAGES]):
        # by condition, since another dispatch may have been faster
        if due.filter(pk=pk).order_by().update(dispatched_until=now + MESSAGE_TIMEOUT):
            enqueue_on_commit("run_bulk", pk)


def run_bulk(bulk_id: int) -> None:
    """Do the next part of an action that is due. Safe to run twice at a time."""
    due = BulkAction.objects.due(timezone.now())
    bulk = leases.take(due, bulk_id, LEASE, "organization", "actor", "token")
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


def _run(bulk: BulkAction) -> float | None:
    """In how many seconds the next run is due; None where nothing is left to do."""
    if bulk.is_open and (refusal := _why_not_allowed(bulk)):
        end(bulk, BulkState.STOPPED, refusal)
        bulk.refresh_from_db()
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
    if wait_s is None:
        # unless somebody has the rest of it run by now
        leases.held(bulk).exclude(state__in=OPEN_STATES).update(next_at=None)
        leases.release(bulk)
        return
    next_at = timezone.now() + timedelta(seconds=wait_s)
    if leases.release(bulk, next_at=next_at) and wait_s == 0:
        enqueue_on_commit("run_bulk", bulk.pk)


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
