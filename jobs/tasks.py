"""Celery's way in: each task fetches by id and calls one function. Any of them may run twice."""

from datetime import datetime, timedelta

from celery import Task, shared_task
from django.utils import timezone

from jobs import actions, submission, sync, webhooks
from jobs.hints import hint
from jobs.models import JobAction, ProviderAccount, Submission, WebhookDelivery

# What one tick hands out at the most; the rest is due at the next one.
TICK_LIMIT = 200

# How long what is handed out is left to its message, before that counts as lost.
HANDED_OUT = timedelta(seconds=30)

Swept = type[Submission] | type[JobAction] | type[WebhookDelivery]


@shared_task(name="jobs.tasks.tick")
def tick() -> None:
    """Hand every due account to a worker."""
    now = timezone.now()
    for pk in ProviderAccount.objects.due(now).values_list("pk", flat=True)[:TICK_LIMIT]:
        taken = ProviderAccount.objects.filter(pk=pk, next_sync_at__lte=now).update(
            next_sync_at=now + HANDED_OUT
        )
        if taken:
            hint("sync_account", pk)


@shared_task(name="jobs.tasks.sync_account")
def sync_account(account_id: int) -> None:
    sync.sync_account(account_id)


@shared_task(name="jobs.tasks.reconcile", bind=True)
def reconcile(self: Task[..., None], after: int = 0) -> None:
    """Compare one account's whole list with the mirror, then hand on to the next account.

    One at a time, since it may wait for the provider's limits; a broken chain is begun anew the
    next night.
    """
    accounts = ProviderAccount.objects.filter(enabled=True, refused_at__isnull=True, pk__gt=after)
    pk = accounts.order_by("pk").values_list("pk", flat=True).first()
    if pk is None:
        return
    hands_on = True
    try:
        report = sync.sync_account(pk, foreground=True, full=True)
        # A broker tells a message again whose task takes very long: then its first run holds the
        # account, and hands on itself.
        is_told_again = (self.request.delivery_info or {}).get("redelivered", False)
        hands_on = report is not None or not is_told_again
    finally:
        if hands_on:
            hint("reconcile", pk)


@shared_task(name="jobs.tasks.sweep_submissions")
def sweep_submissions() -> None:
    """Hand out all that is due, whatever became of its first message."""
    now = timezone.now()
    _hand_out(Submission, "run_submission", now)
    _hand_out(JobAction, "run_action", now)
    _hand_out(WebhookDelivery, "handle_delivery", now)


@shared_task(name="jobs.tasks.run_submission")
def run_submission(job_id: int, handed_out: str = "") -> None:
    _take_back(Submission, job_id, handed_out)
    submission.run_submission(job_id)


@shared_task(name="jobs.tasks.run_action")
def run_action(action_id: int, handed_out: str = "") -> None:
    _take_back(JobAction, action_id, handed_out)
    actions.run_action(action_id)


@shared_task(name="jobs.tasks.handle_delivery")
def handle_delivery(delivery_id: int, handed_out: str = "") -> None:
    _take_back(WebhookDelivery, delivery_id, handed_out)
    webhooks.handle_delivery(delivery_id)


def _hand_out(model: Swept, task: str, now: datetime) -> None:
    """Tell a worker of each due row, which is then due again only when that message is lost.

    The message carries the due time that the row got, as what makes it due for this message.
    """
    until = now + HANDED_OUT
    for pk, next_at in model.objects.due(now).values_list("pk", "next_at")[:TICK_LIMIT]:
        if model.objects.filter(pk=pk, next_at=next_at).update(next_at=until):
            hint(task, pk, until.isoformat())


def _take_back(model: Swept, pk: int, handed_out: str) -> None:
    """Make the row due for the sweep's message, unless it was given another time since."""
    if handed_out:
        until = datetime.fromisoformat(handed_out)
        model.objects.filter(pk=pk, next_at=until).update(next_at=timezone.now())
