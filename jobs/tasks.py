"""Celery's way in: each task fetches by id and calls one function. Any of them may run twice."""

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from jobs import actions, submission, sync, webhooks
from jobs.hints import hint
from jobs.models import JobAction, ProviderAccount, Submission, WebhookDelivery

# What one tick hands out at the most; the rest is due at the next one.
TICK_LIMIT = 200

# How long a handed-out account is left to its message, before it counts as lost.
HANDED_OUT = timedelta(seconds=30)


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


@shared_task(name="jobs.tasks.reconcile")
def reconcile(after: int = 0) -> None:
    """Compare one account's whole list with the mirror, then hand on to the next account.

    One at a time, since it may wait for the provider's limits; a broken chain is begun anew the
    next night.
    """
    accounts = ProviderAccount.objects.filter(enabled=True, refused_at__isnull=True, pk__gt=after)
    pk = accounts.order_by("pk").values_list("pk", flat=True).first()
    if pk is not None and sync.sync_account(pk, foreground=True, full=True):
        hint("reconcile", pk)


@shared_task(name="jobs.tasks.sweep_submissions")
def sweep_submissions() -> None:
    """Hand out all that is due, whatever became of its first message."""
    now = timezone.now()
    for pk in Submission.objects.due(now).values_list("pk", flat=True)[:TICK_LIMIT]:
        hint("run_submission", pk)
    for pk in JobAction.objects.due(now).values_list("pk", flat=True)[:TICK_LIMIT]:
        hint("run_action", pk)
    for pk in WebhookDelivery.objects.due(now).values_list("pk", flat=True)[:TICK_LIMIT]:
        hint("handle_delivery", pk)


@shared_task(name="jobs.tasks.run_submission")
def run_submission(job_id: int) -> None:
    submission.run_submission(job_id)


@shared_task(name="jobs.tasks.run_action")
def run_action(action_id: int) -> None:
    actions.run_action(action_id)


@shared_task(name="jobs.tasks.handle_delivery")
def handle_delivery(delivery_id: int) -> None:
    webhooks.handle_delivery(delivery_id)
