"""Deliveries to our webhook URLs, kept whatever became of them."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import Q

from jobs.models.account import ProviderAccount
from jobs.models.work import DispatchedModel
from providers.parsing.text import make_visible


class Verdict(models.TextChoices):
    ACCEPTED = "accepted", "Accepted"
    IGNORED = "ignored", "Not about a job"
    REFUSED = "refused", "Refused"


# A delivery that no read has answered by then is given up: polling has seen the job since.
EXPIRY = timedelta(hours=1)


class WebhookDeliveryQuerySet(models.QuerySet["WebhookDelivery"]):
    def waiting(self, now: datetime) -> "WebhookDeliveryQuerySet":
        """Deliveries whose job is still to be re-read, of accounts that are not paused."""
        return self.filter(
            handled_at__isnull=True,
            received_at__gt=now - EXPIRY,
            account__in=ProviderAccount.objects.filter(enabled=True),
        ).order_by("received_at")

    def due(self, now: datetime) -> "WebhookDeliveryQuerySet":
        """Those of the waiting that nobody has in hand."""
        return self.waiting(now).filter(next_at__lte=now)


class WebhookDelivery(DispatchedModel):
    account = models.ForeignKey(
        ProviderAccount, on_delete=models.CASCADE, related_name="deliveries"
    )
    received_at = models.DateTimeField()
    # an allow-list of names only: a delivery's secret comes in a header
    headers = models.JSONField(default=dict)
    body = models.TextField(blank=True, help_text="Redacted, and cut at 64 kB.")
    verdict = models.CharField(max_length=10, choices=Verdict.choices)
    result = models.CharField(max_length=500, blank=True)
    remote_id = models.CharField(max_length=255, blank=True)
    # null while the refresh of its job is still due
    handled_at = models.DateTimeField(null=True, blank=True)
    next_at = models.DateTimeField()

    objects = WebhookDeliveryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "webhook deliveries"
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict__in=Verdict.values), name="delivery_verdict_known"
            ),
        ]
        indexes = [
            # an account's list of deliveries, and its keyset pages
            models.Index(fields=["account", "-received_at", "-id"], name="delivery_recent"),
            # the sweep: refreshes that are still due
            models.Index(
                fields=["next_at"],
                condition=Q(handled_at__isnull=True),
                name="delivery_unhandled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.verdict} {make_visible(self.remote_id)}"
