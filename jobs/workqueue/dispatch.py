"""Handing what is due to the workers: people's work first, and no more than they can take.

What is due stays in its row until a thread is free for it, so that the broker's queue is short
and new work never waits behind old. An unhealthy host is given one message at a time, and all of
them together no more than their small share.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Subquery, When, Window
from django.db.models.functions import Coalesce, RowNumber
from django.utils import timezone

from jobs.models import JobAction, ProviderAccount, ProviderHost, Submission, WebhookDelivery
from jobs.workqueue.enqueue import hint
from jobs.workqueue.seats import SEATS, Work, small_share, worker_size

# How long what is handed out is left to its message, before that counts as lost.
HANDED_OUT = timedelta(seconds=30)

# Rows that one dispatch looks at: those of a dozen hosts with long queues.
LOOK_AT = 100

Swept = type[Submission] | type[JobAction] | type[WebhookDelivery]
TASKS: tuple[tuple[Swept, str, str], ...] = (
    (Submission, "run_submission", "job__account"),
    (JobAction, "run_action", "job__account"),
    (WebhookDelivery, "handle_delivery", "account"),
)


class Row(NamedTuple):
    """Something due. `is_well`: its host answers, and its account neither fails nor is slow."""

    pk: int
    next_at: datetime
    host: str
    is_well: bool


def dispatch() -> None:
    """Send a message for what is due, as far as there are threads for it."""
    now = timezone.now()
    hand_out = _Round(small_share(worker_size()) - ProviderHost.objects.in_trial(now).count())
    for model, task, account in TASKS:
        due = _with_host(model.objects.due(now), f"{account}__host", now)
        # of the others the new ones come first: somebody is adding them
        order = ("-is_well", "host_failures", "next_at")
        rows = _take_turns(due.annotate(is_well=F("is_healthy")), *order)
        for row in hand_out.choose(rows, Work.PEOPLE):
            until = now + HANDED_OUT
            if model.objects.filter(pk=row.pk, next_at=row.next_at).update(next_at=until):
                # the due time that it got, as what makes it due for this message
                hint(task, row.pk, until.isoformat())
    accounts = _with_host(ProviderAccount.objects.due(now).with_doubt(), "host", now)
    is_well = Q(is_healthy=True, is_doubted=False)
    accounts = accounts.annotate(
        is_well=Case(When(is_well, then=True), default=False), next_at=F("next_sync_at")
    )
    rows = _take_turns(accounts, "-is_well", "consecutive_failures", "next_at")
    for row in hand_out.choose(rows, Work.SYNC):
        if (
            ProviderAccount.objects.due(now)
            .filter(pk=row.pk)
            .order_by()
            .update(dispatched_until=now + HANDED_OUT)
        ):
            hint("sync_account", row.pk)


@contextmanager
def going_on() -> Iterator[None]:
    """When the work inside has left its thread, hand out what waited for one."""
    try:
        yield
    finally:
        if SEATS.take_notice():
            dispatch()


def take_back(model: Swept, pk: int, handed_out: str) -> None:
    """Make the row due for the dispatched message, unless it was given another time since."""
    if handed_out:
        until = datetime.fromisoformat(handed_out)
        model.objects.filter(pk=pk, next_at=until).update(next_at=timezone.now())


class _Round:
    """What one dispatch has handed out so far."""

    def __init__(self, doubtful_left: int) -> None:
        self._doubtful_left = doubtful_left
        # by host, and by kind of work
        self._given: Counter[str] = Counter()
        self._doubtful_hosts: set[str] = set()

    def choose(self, rows: QuerySet[Any, Any], work: Work) -> Iterator[Row]:
        for row in map(Row._make, rows[:LOOK_AT]):
            host = row.host
            if not row.is_well:
                if self._doubtful_left <= 0 or host in self._doubtful_hosts:
                    continue  # the next tick, or the end of the trial, comes back to it
                self._doubtful_left -= 1
                self._doubtful_hosts.add(host)
            elif self._is_full(host, work):
                SEATS.ask()
                continue
            self._given.update((f"//{host}", work))
            yield row

    def _is_full(self, host: str, work: Work) -> bool:
        in_all, of_work, at_host = SEATS.rooms(host, work)
        given = self._given
        all_given = given[Work.PEOPLE] + given[Work.SYNC]
        return in_all <= all_given or of_work <= given[work] or at_host <= given[f"//{host}"]


def _with_host(due: QuerySet[Any], path: str, now: datetime) -> QuerySet[Any]:
    """`due` with what is known of each host, without what is not to be tried now."""
    host = ProviderHost.objects.filter(pk=OuterRef(path))
    return due.annotate(
        host_name=F(path),
        host_failures=Coalesce(Subquery(host.values("failures")), 0),
        is_healthy=Exists(host.healthy()),
    ).exclude(Exists(host.blocked(now)))


def _take_turns(due: QuerySet[Any], *order: str) -> QuerySet[Any, Any]:
    """As rows in that order, of each host no more than a worker has threads for.

    Else a long queue at one host would hide what is due at all others.
    """
    turn = Window(RowNumber(), [F("host_name"), F("is_well")], order_by=order)
    found = due.annotate(turn=turn).filter(turn__lte=worker_size()).order_by(*order)
    return found.values_list("pk", "next_at", "host_name", "is_well")
