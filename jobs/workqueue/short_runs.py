"""Long work in short runs, each of which continues where the last one ended.

What a run does is written step by step, so that it may end anywhere.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import structlog
from django.db.models import Q
from django.utils import timezone

from jobs.models.work import DueQuerySet, LongWork, LongWorkQuerySet
from jobs.workqueue import leases
from jobs.workqueue.dispatch import MESSAGE_TIMEOUT
from jobs.workqueue.enqueue import enqueue_on_commit
from jobs.workqueue.leases import LeaseLost
from jobs.workqueue.reconnect import DISCONNECTED, retry_on_disconnect
from organizations.models import Membership, Role
from organizations.permissions import Permission, role_allows, scope_allows

log = structlog.get_logger(__name__)

# A run only reads and writes here, a few seconds at a time: what a killed one held is soon free.
LEASE = timedelta(seconds=30)
# When what was asked for is looked at again, unless it is answered sooner: with the next tick
WAIT_S = 1.0
ERROR_WAIT_S = 30.0
# Of all bulk actions, of all batches, and of all retry rules: most threads are left to other work.
MAX_RUNS = 2
# In a row: then something is wrong with more than these jobs, and the rest would fail as well.
MAX_INTERNAL_ERRORS = 20
TOO_MANY_ERRORS = (
    f"Stopped after {MAX_INTERNAL_ERRORS} internal errors in a row: see the server log. "
    "The rest can be run once the cause has been fixed."
)
# Of bulk actions, and of batches, at each account: a person's own submission waits behind no more
# than these.
UNDER_WAY = 20
# Of the requests that an account may send in a minute, one in so many is left to people.
LEFT_TO_PEOPLE = 10

Row = TypeVar("Row", bound=LongWork)


def dispatch(rows: DueQuerySet[Any], task: str) -> None:
    """Send messages for the rows that are due, longest waiting first. One query if none."""
    now = timezone.now()
    due = rows.due(now).undispatched(now)
    waiting = list(due.values_list("pk", flat=True)[:MAX_RUNS])
    room = MAX_RUNS - rows.being_run(now).count() if waiting else 0
    for pk in waiting[: max(room, 0)]:
        # by condition, since another dispatch may have been faster
        if due.filter(pk=pk).order_by().update(dispatched_until=now + MESSAGE_TIMEOUT):
            enqueue_on_commit(task, pk)


def hasten(rows: LongWorkQuerySet[Any], pk: int, task: str) -> None:
    """Something that the row waits for has ended: have it go on."""
    now = timezone.now()
    # What runs now sees in the end that it is due again. Many that end at once make it due once.
    if rows.filter(pk=pk, next_at__gt=now).update(next_at=now):
        dispatch(rows, task)


def run(
    rows: LongWorkQuerySet[Row],
    pk: int,
    task: str,
    part: Callable[[Row], float | None],
    *related: str,
) -> None:
    """Do the next part of a row that is due. Safe to run twice at a time.

    `part` returns in how many seconds the next run is due; None where nothing is left to do. It
    raises LeaseLost where the row was stopped or taken over. `related` is loaded with the row.
    """
    now = timezone.now()
    # until then it is not due, unless something that it waits for ends
    loaded = ("organization", "actor", "token", *related)
    row = leases.take(rows.due(now), pk, LEASE, *loaded, next_at=now + LEASE)
    if row is None:
        return
    wait_s: float | None = ERROR_WAIT_S
    try:
        wait_s = part(row)
    except LeaseLost:
        log.info("stopped or taken over", task=task, pk=pk)
        wait_s = 0
    except DISCONNECTED:
        wait_s = 0
        raise
    finally:
        retry_on_disconnect(lambda: _release(row, wait_s))
    dispatch(rows, task)


def _release(row: LongWork, wait_s: float | None) -> None:
    """Say when the next run is due, unless that has been said meanwhile."""
    unchanged = leases.held(row).filter(next_at=row.next_at)
    if wait_s is None:
        unchanged.exclude(Q(state__in=row.OPEN_STATES)).update(next_at=None)
    else:
        unchanged.update(next_at=timezone.now() + timedelta(seconds=wait_s))
    leases.release(row)


def usable(per_minute: int) -> int:
    """Of so many requests a minute: how many are for long work."""
    return max(per_minute - per_minute // LEFT_TO_PEOPLE, 1)


def why_not_allowed(row: LongWork, permission: Permission) -> str:
    """Why it may not go on in the name of who started it; empty where it may."""
    if row.token is not None:
        may = row.token.is_active and scope_allows(row.token.scope, permission)
        return "" if may else "Its API token is no longer valid."
    members = Membership.objects.filter(organization=row.organization_id, user=row.actor_id)
    role = members.values_list("role", flat=True).first() if row.actor_id else None
    if role is not None and role_allows(Role(role), permission):
        return ""
    return "The person who started it may no longer act on jobs here."
