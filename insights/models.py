"""Sums of ended jobs, kept so that a year of them is read as fast as a day.

Each is over the jobs that ended within a quarter of an hour, so that days are right in every time
zone, or within a day of the organization's zone. A job counts where its `ended_at` is, and jobs
that have not ended, or ended before `insights.rollups.spans.FIRST`, do not count. Written by
insights.rollups.upkeep alone, from the jobs: see there how they stay right.
"""

from django.db import models
from django.db.models import Q

from jobs.models import Preset, ProviderAccount
from organizations.models import Organization
from providers.core.status import TERMINAL

OUTCOMES = sorted(status.value for status in TERMINAL)


class Span(models.IntegerChoices):
    """How long a sum is: it begins at its `at`."""

    QUARTER = 1, "Quarter of an hour"
    DAY = 2, "Day of the organization's time zone"


class Rollup(models.Model):
    # No keys have an index of their own: all reading is by organization and time.
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    account = models.ForeignKey(
        ProviderAccount, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    span = models.PositiveSmallIntegerField(choices=Span.choices)
    at = models.DateTimeField()
    jobs = models.PositiveIntegerField()

    class Meta:
        abstract = True


class TimedRollup(Rollup):
    """`wait` and `run` are histograms (insights.rollups.histogram): of the time from creation to
    start, and of that from start to end as the provider reports them, where it does."""

    # of the videos, audio files and playlists that the jobs made
    output_ms = models.PositiveBigIntegerField()
    wait = models.BinaryField()
    run = models.BinaryField()

    class Meta:
        abstract = True


class OutcomeRollup(TimedRollup):
    """The jobs that ended, by how."""

    status = models.CharField(max_length=12)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization", "span", "at", "account", "status", name="outcome_rollup"
            ),
            models.CheckConstraint(condition=Q(status__in=OUTCOMES), name="outcome_rollup_ended"),
        ]

    def __str__(self) -> str:
        return f"{self.jobs} {self.status} at {self.at:%Y-%m-%d %H:%M}"


class ErrorRollup(TimedRollup):
    """The failed ones among them, by the class of their error."""

    error_class = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization", "span", "at", "account", "error_class", name="error_rollup"
            )
        ]

    def __str__(self) -> str:
        return f"{self.jobs} {self.error_class} at {self.at:%Y-%m-%d %H:%M}"


class PresetRollup(Rollup):
    """Those that a preset made an output of, by how they ended; each job once."""

    preset = models.ForeignKey(Preset, on_delete=models.CASCADE, related_name="+", db_index=False)
    status = models.CharField(max_length=12)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "organization", "span", "at", "account", "preset", "status", name="preset_rollup"
            )
        ]

    def __str__(self) -> str:
        return f"{self.jobs} {self.status} of a preset at {self.at:%Y-%m-%d %H:%M}"


class RollupState(models.Model):
    """How far an organization's sums have come; its row is locked by who changes any of them."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="rollup_state"
    )
    # the zone that the sums of days are made in
    time_zone = models.CharField(max_length=64)
    # changes of jobs up to then are in the sums
    seen_at = models.DateTimeField()
    # The sums are of what ended from `reached_from` up to `reached_to`. The history before the one
    # is added step by step; what comes after the other is counted when somebody asks.
    reached_from = models.DateTimeField()
    reached_to = models.DateTimeField()
    # when the last two days were last summed up anew; and which earlier day was, one at a time and
    # backwards
    checked_at = models.DateTimeField()
    checked_to = models.DateTimeField()

    def __str__(self) -> str:
        return f"sums up to {self.reached_to:%Y-%m-%d %H:%M}"
