"""The Celery tasks: each calls one function with an id, and may run twice."""

from importlib import import_module

from celery import Task, shared_task
from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from jobs.actions import worker as action_worker
from jobs.batches import worker as batch_worker
from jobs.bulk import retention
from jobs.bulk import worker as bulk_worker
from jobs.models import ProviderAccount, ProviderHost
from jobs.query import view_counts
from jobs.retry_rules import worker as retry_worker
from jobs.stuck import history, marking
from jobs.submission import idempotency, waiting
from jobs.submission import worker as submission_worker
from jobs.sync import runner
from jobs.webhooks import handler
from jobs.workqueue import dispatch
from jobs.workqueue.enqueue import enqueue_on_commit
from organizations.models import Invitation


@shared_task(name="jobs.tasks.tick")
def tick() -> None:
    """Send messages for what is due, interactive work first, no more than workers can take."""
    dispatch.dispatch()
    bulk_worker.dispatch()
    batch_worker.dispatch()
    retry_worker.dispatch()


@shared_task(name="jobs.tasks.sync_account")
def sync_account(account_id: int) -> None:
    with dispatch.dispatch_afterwards():
        runner.sync_account(account_id)


@shared_task(name="jobs.tasks.reconcile", bind=True)
def reconcile(self: Task[..., None], after: int = 0) -> None:
    """Compare one account's complete list with the mirror, then enqueue the next account.

    One at a time, since it may wait for the provider's limits; a chain that broke starts again the
    next night. Accounts whose host does not respond wait until then, too.
    """
    pk = _find_account_after(after)
    if pk is None:
        return
    is_ours = True
    try:
        report = runner.sync_account(pk, foreground=True, full=True)
        # A broker delivers a message again when its task takes very long: then the first run holds
        # the account, and enqueues the next one itself.
        is_redelivered = (self.request.delivery_info or {}).get("redelivered", False)
        is_ours = report is not None or not is_redelivered
    finally:
        if is_ours:
            enqueue_on_commit("reconcile", pk)


def _find_account_after(pk: int) -> int | None:
    host = ProviderHost.objects.healthy().filter(pk=OuterRef("host"))
    accounts = ProviderAccount.objects.filter(
        Exists(host), enabled=True, refused_at__isnull=True, pk__gt=pk
    )
    return accounts.order_by("pk").values_list("pk", flat=True).first()


@shared_task(name="jobs.tasks.prune")
def prune() -> None:
    """Delete what is kept for a limited time."""
    idempotency.prune(timezone.now())
    retention.prune(timezone.now())
    Invitation.objects.delete_expired(timezone.now())
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()


@shared_task(name="jobs.tasks.count_views")
def count_views(organization_id: int) -> None:
    view_counts.count_views(organization_id)


@shared_task(name="jobs.tasks.mark_stuck")
def mark_stuck() -> None:
    marking.mark_stuck(timezone.now())


@shared_task(name="jobs.tasks.learn_usual_times")
def learn_usual_times(account_id: int | None = None) -> None:
    """Of one account, which has just been imported, or of all."""
    if account_id is not None:
        history.learn_of_account(account_id, timezone.now())
    else:
        history.learn_usual_times(timezone.now())


@shared_task(name="jobs.tasks.raise_precedence")
def raise_precedence() -> None:
    waiting.raise_precedence(timezone.now())


@shared_task(name="jobs.tasks.run_submission")
def run_submission(job_id: int) -> None:
    with dispatch.dispatch_afterwards():
        submission_worker.run_submission(job_id)
    bulk_worker.continue_after_submission(job_id)
    batch_worker.continue_after(job_id)


@shared_task(name="jobs.tasks.run_action")
def run_action(action_id: int) -> None:
    with dispatch.dispatch_afterwards():
        action_worker.run_action(action_id)
    bulk_worker.continue_after_action(action_id)


@shared_task(name="jobs.tasks.run_bulk")
def run_bulk(bulk_id: int) -> None:
    bulk_worker.run_bulk(bulk_id)


@shared_task(name="jobs.tasks.run_batch")
def run_batch(batch_id: int) -> None:
    batch_worker.run_batch(batch_id)


@shared_task(name="jobs.tasks.run_retry_rule")
def run_retry_rule(rule_id: int) -> None:
    retry_worker.run_rule(rule_id)


@shared_task(name="jobs.tasks.handle_delivery")
def handle_delivery(delivery_id: int) -> None:
    with dispatch.dispatch_afterwards():
        handler.handle_delivery(delivery_id)
