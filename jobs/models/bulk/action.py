"""A bulk action: which jobs it is for, how far it has got, and what it came to."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from jobs.models.work import LeasedModel, undispatched, unleased
from organizations.models import Actor, ApiToken, Organization, name_actor
from organizations.models.audit import MAX_REASON


class BulkKind(models.TextChoices):
    CANCEL = "cancel", "Cancel"
    RESUBMIT = "resubmit", "Retry"


class BulkState(models.TextChoices):
    # jobs are still being looked for; the first of them are acted on already
    PREPARING = "preparing", "Preparing"
    RUNNING = "running", "Running"
    STOPPED = "stopped", "Stopped"
    DONE = "done", "Done"


OPEN_STATES = (BulkState.PREPARING, BulkState.RUNNING)


class BulkActionQuerySet(models.QuerySet["BulkAction"]):
    def for_organization(self, organization: Organization) -> "BulkActionQuerySet":
        """Newest first."""
        return self.filter(organization=organization).order_by("-pk")

    def running(self) -> "BulkActionQuerySet":
        """Those that somebody may be watching. Few: by the index of what is due."""
        return self.filter(state__in=OPEN_STATES, next_at__isnull=False)

    def due(self, now: datetime) -> "BulkActionQuerySet":
        """What a worker may take now. Joins no table: see jobs.workqueue.leases.take."""
        return self.filter(unleased(now), next_at__lte=now).order_by("next_at")

    def undispatched(self, now: datetime) -> "BulkActionQuerySet":
        return self.filter(undispatched(now))

    def being_run(self, now: datetime) -> "BulkActionQuerySet":
        """Those that a worker has, or is about to have."""
        free = unleased(now) & undispatched(now)
        return self.filter(~free, next_at__isnull=False)


class BulkAction(LeasedModel):
    # no index of its own: bulk_history begins with it
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    kind = models.CharField(max_length=10, choices=BulkKind.choices)
    reason = models.CharField(max_length=MAX_REASON, blank=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    token = models.ForeignKey(
        ApiToken, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )

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
    created_at = models.DateTimeField()

    state = models.CharField(max_length=10, choices=BulkState.choices, default=BulkState.PREPARING)
    # null: nothing is left to do, unless somebody has the rest of a stopped one run
    next_at = models.DateTimeField(null=True, blank=True)
    # why it was stopped, where nobody did that
    note = models.CharField(max_length=500, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

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
    # internal errors since something else became of a job
    internal_errors = models.PositiveIntegerField(default=0)

    objects = BulkActionQuerySet.as_manager()

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
    def audit_id(self) -> str:
        """What ties the audit entries of all its jobs together."""
        return f"bulk-{self.pk}"

    @property
    def kind_value(self) -> BulkKind:
        return BulkKind(self.kind)

    @property
    def requested_by(self) -> Actor | None:
        return self.actor or self.token

    @property
    def requester_name(self) -> str | None:
        """An e-mail address or `token:NAME`; None where it has been deleted."""
        return name_actor(self.actor, self.token)

    @property
    def is_open(self) -> bool:
        return self.state in OPEN_STATES

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
