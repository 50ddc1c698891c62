"""What became of a failure that a retry rule applies to."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from jobs.models.account import ProviderAccount
from jobs.models.mirror.job import Job
from jobs.models.retry_rules.rule import RetryRule
from organizations.models import ApiToken
from providers.parsing.text import make_visible


class RetryState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    REQUESTED = "requested", "Retried"
    # by a person
    CANCELLED = "cancelled", "Cancelled"
    OVER_LIMIT = "over_limit", "Not retried: the daily number was reached"
    # the rule or the job changed while it waited
    DROPPED = "dropped", "Not retried"


class AutomaticRetryQuerySet(models.QuerySet["AutomaticRetry"]):
    def waiting(self) -> "AutomaticRetryQuerySet":
        return self.filter(state=RetryState.WAITING)

    def requested(self) -> "AutomaticRetryQuerySet":
        return self.filter(state=RetryState.REQUESTED)


class AutomaticRetry(models.Model):
    """One for each failure, whatever rules apply to it, so that no two of them retry it."""

    # null: deleted since. No index of its own: retry_history begins with it.
    rule = models.ForeignKey(
        RetryRule,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="retries",
        db_index=False,
    )
    # as it was called then, and the most retries that it allowed
    rule_name = models.CharField(max_length=100)
    max_retries = models.PositiveSmallIntegerField()
    # which retry of the job it is; the first is 1
    number = models.PositiveSmallIntegerField()
    # the failure
    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="+")
    # the job's
    account = models.ForeignKey(ProviderAccount, on_delete=models.CASCADE, related_name="+")
    state = models.CharField(max_length=10, choices=RetryState.choices, default=RetryState.WAITING)
    next_at = models.DateTimeField()
    # why it was not made
    reason = models.CharField(max_length=500, blank=True)
    # who cancelled it
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    token = models.ForeignKey(
        ApiToken, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

    # Once it has been requested: when, which day's number counts it, the first attempt of the
    # job's chain (a plain id, which outlives it), and the attempt that was made
    requested_at = models.DateTimeField(null=True, blank=True)
    day = models.DateField(null=True, blank=True)
    root_id = models.BigIntegerField(null=True, blank=True)
    new_job = models.ForeignKey(
        Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )

    objects = AutomaticRetryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "automatic retries"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=RetryState.values), name="automatic_retry_state_known"
            ),
            models.CheckConstraint(
                condition=~Q(state=RetryState.REQUESTED.value)
                | Q(requested_at__isnull=False, day__isnull=False, root_id__isnull=False),
                name="automatic_retry_requested_once",
            ),
        ]
        indexes = [
            # what a rule has done
            models.Index(fields=["rule", "-id"], name="retry_history"),
            # what of it is due, by account
            models.Index(
                fields=["rule", "account", "next_at"],
                condition=Q(state="waiting"),
                name="retry_waiting",
            ),
            # the daily number
            models.Index(
                fields=["rule", "day", "account"],
                condition=Q(state__in=["requested", "over_limit"]),
                name="retry_days",
            ),
            # how many are under way at an account
            models.Index(
                fields=["account", "requested_at"],
                condition=Q(state="requested"),
                name="retry_under_way",
            ),
            # how often a job was retried
            models.Index(fields=["root_id"], condition=Q(state="requested"), name="retry_root"),
            # which rule made an attempt
            models.Index(
                fields=["new_job"], condition=Q(new_job__isnull=False), name="retry_new_job"
            ),
        ]

    def __str__(self) -> str:
        return self.label

    def minutes_left(self, now: datetime) -> int:
        """Until it is due, rounded up; 0 once it is."""
        return max(-(-int((self.next_at - now).total_seconds()) // 60), 0)

    @property
    def wait(self) -> str:
        """When it is made: `in 4 min`, or `shortly` once it is due."""
        left = self.minutes_left(timezone.now())
        hours, minutes = divmod(left, 60)
        parts = [f"{hours} h"] if hours else []
        if minutes:
            parts.append(f"{minutes} min")
        return f"in {' '.join(parts)}" if parts else "shortly"

    @property
    def label(self) -> str:
        """As events and pages say it: `Retry rule “Busy inputs”: 2 of 3`."""
        return f"Retry rule “{make_visible(self.rule_name)}”: {self.number} of {self.max_retries}"
