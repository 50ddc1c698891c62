"""Sending messages for what is due: interactive work first, and no more than workers can take.

What is due stays in its row until a thread is free for it, so that the broker's queue is short
and new work never waits behind old. An unhealthy host is given one message at a time, and all of
them together no more than their small share.

At one account, submissions and native retries are sent by their precedence, and no more than there
is room for. The accounts take turns, so that neither a long queue nor a high priority at one of
them holds up another.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import starmap
from typing import Any, NamedTuple

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When, Window
from django.db.models.functions import Coalesce, RowNumber
from django.utils import timezone

from jobs.models import JobAction, ProviderAccount, ProviderHost, Submission, WebhookDelivery
from jobs.models.account import RELIABLE
from jobs.models.work import undispatched
from jobs.workqueue.enqueue import enqueue_on_commit
from jobs.workqueue.in_flight import WAITING_RETRIES, WAITING_SUBMISSIONS, read_room
from jobs.workqueue.slots import SLOTS, Work, small_share, worker_size

# How long a row is left to the message that was sent for it, before that counts as lost.
MESSAGE_TIMEOUT = timedelta(seconds=30)

# Rows that one dispatch reads: each account's first, then each account's second, and so on.
MAX_ROWS = 1_000

Model = type[Submission] | type[JobAction] | type[WebhookDelivery] | type[ProviderAccount]


@dataclass(frozen=True, slots=True)
class Queue:
    """The due rows of one table, and the task that takes one of them."""

    model: Model
    task: str
    # the path to the name of a row's host
    host: str
    # the path to what takes turns
    taker: str
    work: Work
    # after those that are well
    order: tuple[str, ...]
    is_well: Q = Q(is_healthy=True)
    # the rows that need a place at their account
    needs_place: Q | None = None


# new hosts first, since somebody is adding them
_BY_PRECEDENCE = ("host_failures", "turn", "-precedence", "job")
QUEUES = (
    Queue(
        Submission,
        "run_submission",
        "account__host",
        "account",
        Work.INTERACTIVE,
        _BY_PRECEDENCE,
        needs_place=WAITING_SUBMISSIONS,
    ),
    Queue(
        JobAction,
        "run_action",
        "job__account__host",
        "job__account",
        Work.INTERACTIVE,
        _BY_PRECEDENCE,
        needs_place=WAITING_RETRIES,
    ),
    Queue(
        WebhookDelivery,
        "handle_delivery",
        "account__host",
        "account",
        Work.INTERACTIVE,
        ("host_failures", "turn", "next_at"),
    ),
    Queue(
        ProviderAccount,
        "sync_account",
        "host",
        "host",
        Work.SYNC,
        ("consecutive_failures", "next_sync_at"),
        RELIABLE & Q(is_healthy=True),
    ),
)


class Row(NamedTuple):
    """Something due. `is_well`: its host responds, and its account neither fails nor is slow."""

    pk: int
    host: str
    is_well: bool
    # of one that needs a place
    account: int | None = None


def dispatch() -> None:
    """Send a message for what is due, as far as there are threads for it."""
    now = timezone.now()
    room = read_room()
    unreliable_left = small_share(worker_size()) - ProviderHost.objects.being_probed(now).count()
    this_round = _Round(unreliable_left, room)
    for queue in QUEUES:
        for row in this_round.choose(_rows_in_turn(queue, now, room), queue.work):
            # by condition, since another dispatch may have been faster
            waiting = queue.model.objects.due(now).filter(undispatched(now), pk=row.pk)
            if waiting.order_by().update(dispatched_until=now + MESSAGE_TIMEOUT):
                enqueue_on_commit(queue.task, row.pk)


@contextmanager
def dispatch_afterwards() -> Iterator[None]:
    """After the work inside, dispatch what waited for its thread."""
    try:
        yield
    finally:
        if SLOTS.take_wakeup():
            dispatch()


class _Round:
    """What one dispatch has sent messages for so far."""

    def __init__(self, unreliable_left: int, room: Mapping[int, int]) -> None:
        self._unreliable_left = unreliable_left
        self._room = dict(room)
        self._unreliable_hosts: set[str] = set()
        self._sent_to: Counter[str] = Counter()
        self._sent_of: Counter[Work] = Counter()

    def choose(self, rows: QuerySet[Any, Any], work: Work) -> Iterator[Row]:
        """Yield those of `rows` that there are threads for."""
        for row in starmap(Row, rows[:MAX_ROWS]):
            if row.account is not None and self._room.get(row.account, 1) <= 0:
                continue
            if row.is_well:
                if self._is_full(row.host, work):
                    SLOTS.mark_waiting()
                    continue
            elif not self._admit_unreliable(row.host):
                continue  # the next tick, or the end of the probe, comes back to it
            self._sent_to[row.host] += 1
            self._sent_of[work] += 1
            if row.account in self._room:
                self._room[row.account] -= 1
            yield row

    def _admit_unreliable(self, host: str) -> bool:
        if self._unreliable_left <= 0 or host in self._unreliable_hosts:
            return False
        self._unreliable_left -= 1
        self._unreliable_hosts.add(host)
        return True

    def _is_full(self, host: str, work: Work) -> bool:
        free = SLOTS.count_free(host, work)
        return (
            free.of_any_work <= self._sent_of.total()
            or free.of_this_work <= self._sent_of[work]
            or free.at_this_host <= self._sent_to[host]
        )


def _rows_in_turn(queue: Queue, now: datetime, room: Mapping[int, int]) -> QuerySet[Any, Any]:
    """What is due of `queue`, without hosts that are not to be called now, and full accounts.

    Of each account, and of syncs of each host, no more than a worker has threads for: else a long
    queue at one would hide what is due at all others.
    """
    order = [name for name in queue.order if name != "turn"]
    turn = Window(RowNumber(), [F(queue.taker), F("is_well")], order_by=order)
    due = _with_host_health(queue, now).filter(undispatched(now))
    columns = ["pk", "host_name", "is_well"]
    if queue.needs_place is not None:
        full = [account for account, left in room.items() if left <= 0]
        due = due.exclude(queue.needs_place, **{f"{queue.taker}__in": full})
        due = due.annotate(needing=Case(When(queue.needs_place, then=F(queue.taker))))
        columns.append("needing")
    found = due.annotate(turn=turn).filter(turn__lte=worker_size())
    return found.order_by("-is_well", *queue.order).values_list(*columns)


def _with_host_health(queue: Queue, now: datetime) -> QuerySet[Any]:
    host = ProviderHost.objects.filter(pk=OuterRef(queue.host))
    due: QuerySet[Any] = queue.model.objects.due(now)
    return due.annotate(
        host_name=F(queue.host),
        host_failures=Coalesce(Subquery(host.values("failures")), 0),
        is_healthy=Exists(host.healthy()),
        is_well=Case(When(queue.is_well, then=True), default=False),
    ).exclude(Exists(host.blocked(now)))
