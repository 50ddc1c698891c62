"""A job that a bulk action acts on, and what became of it."""

from django.db import models
from django.db.models import Q

from jobs.models.account import ProviderAccount
from jobs.models.action import JobAction
from jobs.models.bulk.action import BulkAction
from jobs.models.mirror.job import Job


class BulkOutcome(models.TextChoices):
    PENDING = "pending", "Waiting"
    # requested, and not answered yet
    SENT = "sent", "Under way"
    DONE = "done", "Done"
    # by the provider, or since the job has changed
    REFUSED = "refused", "Refused"
    # without a clear answer
    FAILED = "failed", "Failed"

    @property
    def stored(self) -> "list[BulkOutcome]":
        """Those that readers know by this one: what is under way waits as well."""
        return [self, BulkOutcome.SENT] if self == BulkOutcome.PENDING else [self]


SHOWN_OUTCOMES = tuple(outcome for outcome in BulkOutcome if outcome != BulkOutcome.SENT)


class BulkTarget(models.Model):
    # no index of its own: bulk_target_once begins with it
    bulk = models.ForeignKey(
        BulkAction, on_delete=models.CASCADE, related_name="targets", db_index=False
    )
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")
    # whose provider is asked: the job's, unless it is retried elsewhere
    account = models.ForeignKey(
        ProviderAccount, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    outcome = models.CharField(
        max_length=10, choices=BulkOutcome.choices, default=BulkOutcome.PENDING
    )
    # refused or failed: what a person looks at first; computed by the database
    is_problem = models.GeneratedField(
        expression=models.ExpressionWrapper(
            Q(outcome__in=[BulkOutcome.REFUSED.value, BulkOutcome.FAILED.value]),
            output_field=models.BooleanField(),
        ),
        output_field=models.BooleanField(),
        db_persist=True,
    )
    # why it was refused or failed; of a retry elsewhere, what is different there
    reason = models.CharField(max_length=500, blank=True)
    action = models.ForeignKey(
        JobAction,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    # of a retry: the attempt that it made
    new_job = models.ForeignKey(
        Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    settled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=BulkOutcome.values), name="bulk_outcome_known"
            ),
            models.UniqueConstraint("bulk", "job", name="bulk_target_once"),
        ]
        indexes = [
            # the results: all, problems first, and those with one outcome
            models.Index(fields=["bulk", "-is_problem", "id"], name="bulk_problems_first"),
            models.Index(fields=["bulk", "id"], name="bulk_results"),
            models.Index(fields=["bulk", "outcome", "id"], name="bulk_results_by_outcome"),
            # the next to be sent, by account
            models.Index(
                fields=["bulk", "account", "id"],
                condition=Q(outcome="pending"),
                name="bulk_target_pending",
            ),
            # how many are under way at an account, and which
            models.Index(
                fields=["account", "bulk"], condition=Q(outcome="sent"), name="bulk_target_sent"
            ),
            # deleting accounts, actions and jobs
            models.Index(fields=["account"], name="bulk_target_account"),
            models.Index(
                fields=["action"], condition=Q(action__isnull=False), name="bulk_target_action"
            ),
            models.Index(
                fields=["new_job"], condition=Q(new_job__isnull=False), name="bulk_target_new_job"
            ),
        ]

    def __str__(self) -> str:
        return f"job {self.job_id} of bulk action {self.bulk_id}"
