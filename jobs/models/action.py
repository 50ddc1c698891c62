"""What an operator requested for a job: cancel it, or retry it natively."""

from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import Q

from jobs.models.mirror.job import Job
from jobs.models.work import WorkItem, unleased
from organizations.models import Actor, ApiToken


class ActionKind(models.TextChoices):
    CANCEL = "cancel", "Cancel"
    RESUBMIT = "resubmit", "Retry"


class ActionState(models.TextChoices):
    DUE = "due", "Waiting to be sent"
    DONE = "done", "Done"
    REFUSED = "refused", "Refused"


class JobActionQuerySet(models.QuerySet["JobAction"]):
    def due(self, now: datetime) -> "JobActionQuerySet":
        """What a worker may take now. Joins no table: see jobs.workqueue.leases.take."""
        return self.filter(
            unleased(now),
            state=ActionState.DUE,
            next_at__lte=now,
            job__in=Job.objects.filter(account__enabled=True),
        ).order_by("next_at")


class JobAction(WorkItem):
    # of a resubmit: the attempt that it makes
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="actions")
    kind = models.CharField(max_length=10, choices=ActionKind.choices)
    state = models.CharField(max_length=10, choices=ActionState.choices, default=ActionState.DUE)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    token = models.ForeignKey(
        ApiToken, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # of a resubmit: when it was sent, written before; null again when it was not
    sent_at = models.DateTimeField(null=True, blank=True)
    # of a resubmit: the first read after it that still showed the old end
    first_unchanged_at = models.DateTimeField(null=True, blank=True)
    # of a resubmit: how many calls may have reached the provider
    sends = models.PositiveIntegerField(default=0)

    objects = JobActionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(kind__in=ActionKind.values) & Q(state__in=ActionState.values),
                name="action_kind_and_state_known",
            ),
            # a second request changes nothing
            models.UniqueConstraint(
                "job", "kind", condition=Q(state=ActionState.DUE), name="action_requested_once"
            ),
        ]
        indexes = [
            # dispatch: what is due
            models.Index(fields=["next_at"], condition=Q(state=ActionState.DUE), name="action_due"),
        ]

    @property
    def requested_by(self) -> Actor | None:
        return self.actor or self.token

    def __str__(self) -> str:
        return f"{self.kind} of job {self.job_id}"
