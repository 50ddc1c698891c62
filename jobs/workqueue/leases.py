"""The right to work on a row, taken and released by conditional updates.

Of several workers that try to take a row, one gets it. A worker that died loses it when the lease
expires; one that was only paused for that long finds that its updates change nothing any more.
"""

from datetime import timedelta
from typing import Any, TypeVar
from uuid import uuid4

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from jobs.models.work import LeasedModel, WorkItem, unleased
from jobs.workqueue.reconnect import retry_on_disconnect

# A run of interactive work makes a few calls, which together end within the deadline; the lease is
# longer, so that no second run begins while the first still sends.
CALL_DEADLINE_S = 75.0 / settings.RECOVERY_SPEEDUP
CALL_LEASE = timedelta(seconds=100) / settings.RECOVERY_SPEEDUP

Row = TypeVar("Row", bound=LeasedModel)


class LeaseLost(Exception):
    """The row was changed meanwhile, or another worker has it: do and write nothing more for it."""


def take(
    rows: QuerySet[Row, Row], pk: int, duration: timedelta, *related: str, **values: Any
) -> Row | None:
    """Take the row `pk` where it is among `rows` and no worker holds it; None otherwise.

    `values` are written with it. `rows` may join no table: an UPDATE with a join is a subquery,
    whose conditions PostgreSQL does not check again after waiting for another worker's UPDATE, so
    that both would have the row.
    """
    now = timezone.now()
    lease = uuid4()
    free = rows.filter(unleased(now), pk=pk).order_by()
    if not free.update(lease=lease, leased_until=now + duration, dispatched_until=None, **values):
        return None
    taken: QuerySet[Row, Row] = rows.model._default_manager.filter(pk=pk, lease=lease)
    if related:
        taken = taken.select_related(*related)
    # it is taken already: if this run ended here, it would be blocked until the lease expires
    return retry_on_disconnect(taken.first)


def held(row: Row) -> QuerySet[Row, Row]:
    """The row as long as it is under the lease that `row` was taken with."""
    return type(row)._default_manager.filter(pk=row.pk, lease=row.lease)


def renew(row: LeasedModel, duration: timedelta, **values: Any) -> None:
    """Hold the row for `duration` from now, and write `values`. Raises LeaseLost."""
    if not held(row).update(leased_until=timezone.now() + duration, **values):
        raise LeaseLost


def release(row: LeasedModel, **values: Any) -> bool:
    """Give the row back, and write `values`; False, and nothing written, when it is lost."""
    return bool(held(row).update(lease=None, leased_until=None, **values))


def postpone(item: WorkItem, wait_s: float, note: str, **values: Any) -> None:
    """Have the item tried again after `wait_s`; `note` says why it waits."""
    next_at = timezone.now() + timedelta(seconds=wait_s)
    held(item).update(next_at=next_at, note=note[:500], **values)
