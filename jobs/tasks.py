"""Celery's way in: each task fetches by id and calls one function. Any of them may run twice."""

from celery import Task, shared_task
from django.db.models import Exists, OuterRef
from django.utils import timezone

from jobs.actions import worker as action_worker
from jobs.models import ProviderAccount, ProviderHost
from jobs.submission import idempotency
from jobs.submission import worker as submission_worker
from jobs.sync import runner
from jobs.webhooks import receiver
from jobs.workqueue import dispatch
from jobs.workqueue.enqueue import enqueue_on_commit


@shared_task(name="jobs.tasks.tick")
def tick() -> None:
    """Send messages for what is due, people's work first, no more than workers can take."""
    dispatch.dispatch()


@shared_task(name="jobs.tasks.sync_account")
def sync_account(account_id: int) -> None:
    with dispatch.dispatch_afterwards():
        runner.sync_account(account_id)


@shared_task(name="jobs.tasks.reconcile", bind=True)
def reconcile(self: Task[..., None], after: int = 0) -> None:
    """Compare one account's whole list with the mirror, then hand on to the next account.

    One at a time, since it may wait for the provider's limits; a broken chain is begun anew the
    next night. Accounts whose host does not answer have to wait for that night, too.
    """
    host = ProviderHost.objects.healthy().filter(pk=OuterRef("host"))
    accounts = ProviderAccount.objects.filter(
        Exists(host), enabled=True, refused_at__isnull=True, pk__gt=after
    )
    pk = accounts.order_by("pk").values_list("pk", flat=True).first()
    if pk is None:
        return
    hands_on = True
    try:
        report = runner.sync_account(pk, foreground=True, full=True)
        # A broker tells a message again whose task takes very long: then its first run holds the
        # account, and hands on itself.
        is_told_again = (self.request.delivery_info or {}).get("redelivered", False)
        hands_on = report is not None or not is_told_again
    finally:
        if hands_on:
            enqueue_on_commit("reconcile", pk)


@shared_task(name="jobs.tasks.prune")
def prune() -> None:
    """Delete what is kept for a limited time."""
    idempotency.prune(timezone.now())


@shared_task(name="jobs.tasks.run_submission")
def run_submission(job_id: int) -> None:
    with dispatch.dispatch_afterwards():
        submission_worker.run_submission(job_id)


@shared_task(name="jobs.tasks.run_action")
def run_action(action_id: int) -> None:
    with dispatch.dispatch_afterwards():
        action_worker.run_action(action_id)


@shared_task(name="jobs.tasks.handle_delivery")
def handle_delivery(delivery_id: int) -> None:
    with dispatch.dispatch_afterwards():
        receiver.handle_delivery(delivery_id)
