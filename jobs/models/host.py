"""A provider's host, as all accounts and organizations share it: whether it answers."""

from datetime import datetime, timedelta

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

# From the first silence on, twice as long each time. What waits for the host is people's work,
# too: an account's own pauses grow further.
PAUSE_S = 2
PAUSE_CAP_S = 60
# A healthy API answers a small read within a second. Whoever needs longer gets it in the end:
# twice as long with each failure, up to what any call may take.
FIRST_ANSWER_S = 5.0
FIRST_ANSWER_CAP_S = 30.0
# How much longer than its call a trial is held. A killed worker costs no more: the small share
# that all trials have is short.
TRIAL_MARGIN_S = 5.0


class ProviderHostQuerySet(models.QuerySet["ProviderHost"]):
    def healthy(self) -> "ProviderHostQuerySet":
        """Hosts that answered when they were last asked."""
        return self.filter(is_healthy=True)

    def in_trial(self, now: datetime) -> "ProviderHostQuerySet":
        return self.filter(is_healthy=False, tried_until__gt=now)

    def blocked(self, now: datetime) -> "ProviderHostQuerySet":
        """Unhealthy hosts that are not to be asked now: in a trial, or in the pause after one."""
        is_paused = Q(next_try_at__gt=now) | Q(tried_until__gt=now)
        return self.filter(is_paused, is_healthy=False)


class ProviderHost(models.Model):
    """Unhealthy after one call without an answer, and until one with; unhealthy before the first.

    A host without a row was never asked.
    """

    name = models.CharField(max_length=500, primary_key=True)
    is_healthy = models.BooleanField(default=False)
    # calls without an answer in a row
    failures = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField(default=timezone.now)
    # the lease of the one call that tries whether an unhealthy host answers again
    tried_until = models.DateTimeField(null=True, blank=True)

    objects = ProviderHostQuerySet.as_manager()

    def __str__(self) -> str:
        return self.name

    @property
    def first_answer_s(self) -> float | None:
        """How long the host may take for its first answer; None where it is healthy."""
        if self.is_healthy:
            return None
        doublings = min(max(self.failures - 2, 0), 10)
        return float(min(FIRST_ANSWER_S * 2**doublings, FIRST_ANSWER_CAP_S))

    @classmethod
    def get_or_untried(cls, name: str) -> "ProviderHost":
        """The host's row, or one that is not saved."""
        return ProviderHost.objects.filter(pk=name).first() or ProviderHost(name=name)

    @classmethod
    def begin_trial(cls, name: str, now: datetime, first_answer_s: float) -> datetime | None:
        """Take the unhealthy host's trial by conditional update; None where it is not its time."""
        ProviderHost.objects.bulk_create(
            [ProviderHost(name=name, next_try_at=now)], ignore_conflicts=True
        )
        lease = now + timedelta(seconds=first_answer_s + TRIAL_MARGIN_S)
        free = cls.objects.filter(
            Q(tried_until__isnull=True) | Q(tried_until__lte=now),
            name=name,
            is_healthy=False,
            next_try_at__lte=now,
        )
        return lease if free.update(tried_until=lease) else None

    @classmethod
    def end_trial(cls, name: str, lease: datetime) -> None:
        """Give the trial back, where what was found did not end it."""
        cls.objects.filter(name=name, tried_until=lease).update(tried_until=None)

    @classmethod
    def note_answer(cls, name: str) -> bool:
        """Whether that makes the host healthy again."""
        ProviderHost.objects.bulk_create([ProviderHost(name=name)], ignore_conflicts=True)
        changed = cls.objects.filter(name=name, is_healthy=False).update(
            is_healthy=True, failures=0, tried_until=None
        )
        return bool(changed)

    @classmethod
    def note_silence(cls, name: str, failures: int, now: datetime) -> None:
        """`failures`: how many there were before, which says how long it is left alone."""
        pause_s = min(PAUSE_S * 2 ** min(failures, 10), PAUSE_CAP_S)
        ProviderHost.objects.bulk_create([ProviderHost(name=name)], ignore_conflicts=True)
        cls.objects.filter(name=name).update(
            is_healthy=False,
            failures=F("failures") + 1,
            next_try_at=now + timedelta(seconds=pause_s),
            tried_until=None,
        )
