"""Refreshing the job that a stored delivery is about."""

from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone

from jobs.models import EventSource, WebhookDelivery
from jobs.sync.runner import refresh_one
from jobs.workqueue.admission import NotAdmitted, admit
from jobs.workqueue.reconnect import DISCONNECTED, retry_on_disconnect
from jobs.workqueue.slots import Work
from providers.core.errors import ProviderError

RETRY_S = 30
# Longer than the read that it is held for.
LEASE = timedelta(seconds=100)
DEADLINE_S = 75.0


def handle_delivery(delivery_id: int) -> None:
    """Refresh the job of the delivery; later again when the provider fails.

    Safe to run twice at a time: its due time is moved past the read, and is its lease.
    """
    now = timezone.now()
    due = WebhookDelivery.objects.due(now).filter(pk=delivery_id)
    delivery = due.select_related("account").first()
    if delivery is None:
        return
    # whatever came for the same job before this read is answered, or put off, with it
    answered = WebhookDelivery.objects.filter(
        account=delivery.account,
        remote_id=delivery.remote_id,
        handled_at__isnull=True,
        received_at__lte=now,
    )
    if not answered.filter(pk=delivery.pk, next_at=delivery.next_at).update(next_at=now + LEASE):
        return
    answered.update(next_at=now + LEASE, dispatched_until=None)
    _refresh(delivery, answered)


def _refresh(delivery: WebhookDelivery, answered: QuerySet[WebhookDelivery]) -> None:
    account, source = delivery.account, EventSource.WEBHOOK
    try:
        with admit(account.host, Work.INTERACTIVE):
            refresh_one(account, delivery.remote_id, source=source, deadline_s=DEADLINE_S)
    except NotAdmitted as error:
        answered.update(next_at=timezone.now() + timedelta(seconds=error.wait_s or RETRY_S))
    except DISCONNECTED:
        retry_on_disconnect(lambda: answered.update(next_at=timezone.now()))
        raise
    except ProviderError as error:
        next_at = timezone.now() + timedelta(seconds=max(RETRY_S, error.wait_s or 0))
        answered.update(result=str(error)[:500], next_at=next_at)
    else:
        answered.update(handled_at=timezone.now(), result="Job refreshed.")
