"""Columns of rows that workers take: when each is due, and which run holds it."""

from datetime import datetime

from django.db import models
from django.db.models import Q


def unleased(now: datetime) -> Q:
    """Rows that no worker holds; an expired lease holds nothing."""
    return Q(leased_until__isnull=True) | Q(leased_until__lt=now)


def undispatched(now: datetime) -> Q:
    """Rows without a message under way."""
    return Q(dispatched_until__isnull=True) | Q(dispatched_until__lte=now)


class DispatchedModel(models.Model):
    # until then a message that was sent for the row may still be under way
    dispatched_until = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        abstract = True


class LeasedModel(DispatchedModel):
    # the run that holds the row: see jobs.workqueue.leases
    lease = models.UUIDField(null=True, blank=True, editable=False)
    leased_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class WorkItem(LeasedModel):
    """One thing to do at a provider, which a worker tries until it has ended."""

    created_at = models.DateTimeField(auto_now_add=True)
    next_at = models.DateTimeField()
    failures = models.PositiveIntegerField(default=0)
    # why it waits, or how it ended
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        abstract = True
