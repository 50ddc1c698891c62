"""A bulk action: which jobs it is for, how far it has got, and what it came to."""

from django.db import models
from django.db.models import Q

from jobs.models.account import ProviderAccount
from jobs.models.batch.batch import Batch
from jobs.models.work import LongWork, LongWorkQuerySet
from organizations.models.audit import MAX_REASON


class BulkKind(models.TextChoices):
    CANCEL = "cancel", "Cancel"
    RESUBMIT = "resubmit", "Retry"
    RESUBMIT_ELSEWHERE = "resubmit_elsewhere", "Retry elsewhere"
    ADD_TO_BATCH = "add_to_batch", "Add to a batch"


class BulkState(models.TextChoices):
    # jobs are still being looked for; the first of them are acted on already
    PREPARING = "preparing", "Preparing"
    RUNNING = "running", "Running"
    STOPPED = "stopped", "Stopped"
    DONE = "done", "Done"


OPEN_STATES = (BulkState.PREPARING, BulkState.RUNNING)


class BulkAction(LongWork):
    AUDIT_NAME = "bulk"
    OPEN_STATES = OPEN_STATES

    kind = models.CharField(max_length=20, choices=BulkKind.choices)
    # of jobs that are retried elsewhere: where, and with which presets; null also once it has been
    # deleted
    target_account = models.ForeignKey(
        ProviderAccount, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    presets = models.JSONField(default=list, blank=True)
    # of jobs that are added to one; null also once it has been deleted
    batch = models.ForeignKey(
        Batch, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    reason = models.CharField(max_length=MAX_REASON, blank=True)
    # Which jobs: those of a query, or with some ids. Relative times count back from `created_at`,
    # days are those of `time_zone`, and a job that came after `last_job_id` is none of them.
    query = models.TextField(blank=True)
    job_ids = models.JSONField(null=True, blank=True)
    time_zone = models.CharField(max_length=60, blank=True)
    last_job_id = models.BigIntegerField()
    # the accounts that the token was limited to; null for all
    account_ids = models.JSONField(null=True, blank=True)
    # whom `me` means; a plain id, since the member may leave
    member_id = models.BigIntegerField(null=True, blank=True)
    # how many jobs are acted on at most; null for all
    limit = models.PositiveIntegerField(null=True, blank=True)

    state = models.CharField(max_length=10, choices=BulkState.choices, default=BulkState.PREPARING)

    # of the targets, once they are no longer kept
    results_deleted_at = models.DateTimeField(null=True, blank=True)

    # Looking for the jobs: where it continues, and what it has found so far
    cursor = models.TextField(blank=True)
    prepared_at = models.DateTimeField(null=True, blank=True)
    matched = models.PositiveIntegerField(default=0)
    # by reason: how many jobs
    left_out = models.JSONField(default=dict, blank=True)
    # by account: how many jobs are acted on
    accounts = models.JSONField(default=dict, blank=True)

    # What became of them; written with each target's outcome
    done = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)

    objects = LongWorkQuerySet["BulkAction"].as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=BulkKind.values) & Q(state__in=BulkState.values),
                name="bulk_kind_and_state_known",
            ),
        ]
        indexes = [
            # the tick: what is due
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="bulk_due"),
            # the history
            models.Index(fields=["organization", "-id"], name="bulk_history"),
        ]

    def __str__(self) -> str:
        return f"bulk action {self.pk}"

    @property
    def kind_value(self) -> BulkKind:
        return BulkKind(self.kind)

    @property
    def can_change(self) -> bool:
        """Whether it can be stopped, or the rest of it run."""
        is_stopped = self.state == BulkState.STOPPED
        return self.is_open or (is_stopped and self.results_deleted_at is None)

    @property
    def chosen_count(self) -> int:
        """How many jobs were chosen by their ids."""
        return len(self.job_ids or ())

    @property
    def left_out_count(self) -> int:
        """How many jobs are not acted on, as far as they are known."""
        return sum(self.left_out.values())

    @property
    def targets_found(self) -> int:
        """How many jobs are acted on, as far as they are known."""
        return sum(self.accounts.values())

    @property
    def remaining(self) -> int:
        """How many of them wait, or are under way."""
        if self.state == BulkState.DONE:
            return 0  # the jobs of an account that was deleted meanwhile have no outcome
        return max(self.targets_found - self.done - self.refused - self.failed, 0)
