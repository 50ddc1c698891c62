"""Webhook deliveries as pages list them: without their bodies, each beside its job."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import QuerySet

from jobs.models import Job, ProviderAccount, WebhookDelivery

NEWEST = 5


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """A delivery, and the newest attempt of the job that it is about where we hold one."""

    delivery: WebhookDelivery
    job: Job | None


def deliveries_of(account: ProviderAccount) -> QuerySet[WebhookDelivery]:
    """The account's deliveries without their bodies, each of which may hold 64 kB."""
    return WebhookDelivery.objects.filter(account=account).defer("body", "headers")


def newest_deliveries(account: ProviderAccount) -> list[DeliveryRow]:
    """The last few, newest first."""
    return with_jobs(account, deliveries_of(account).order_by("-received_at", "-pk")[:NEWEST])


def with_jobs(account: ProviderAccount, deliveries: Iterable[WebhookDelivery]) -> list[DeliveryRow]:
    """Each delivery of `account` with its job, in one query for all."""
    deliveries = list(deliveries)
    ids = {delivery.remote_id for delivery in deliveries if delivery.remote_id}
    jobs = Job.objects.filter(account=account, is_newest=True, remote_id__in=ids)
    by_id = {job.remote_id: job for job in jobs.only("pk", "name", "remote_id")}
    return [DeliveryRow(delivery, by_id.get(delivery.remote_id)) for delivery in deliveries]
