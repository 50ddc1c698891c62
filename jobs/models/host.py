"""A provider's host, as all accounts and organizations share it: whether it responds."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone


class ProviderHostQuerySet(models.QuerySet["ProviderHost"]):
    def healthy(self) -> "ProviderHostQuerySet":
        """Hosts that responded to the last call."""
        return self.filter(is_healthy=True)

    def being_probed(self, now: datetime) -> "ProviderHostQuerySet":
        return self.filter(is_healthy=False, probed_until__gt=now)

    def blocked(self, now: datetime) -> "ProviderHostQuerySet":
        """Unhealthy hosts that are not to be called now: during a probe, or in the pause after."""
        is_paused = Q(next_probe_at__gt=now) | Q(probed_until__gt=now)
        return self.filter(is_paused, is_healthy=False)


class ProviderHost(models.Model):
    """The state of the host's circuit breaker: see jobs.workqueue.circuit_breaker.

    A host without a row was never called.
    """

    name = models.CharField(max_length=500, primary_key=True)
    is_healthy = models.BooleanField(default=False)
    # calls without a response in a row
    failures = models.PositiveIntegerField(default=0)
    next_probe_at = models.DateTimeField(default=timezone.now)
    # the lease of the one call that probes whether an unhealthy host responds again
    probed_until = models.DateTimeField(null=True, blank=True)

    objects = ProviderHostQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name
