"""An input of a batch, and the job that it became."""

from django.db import models
from django.db.models import Q

from jobs.models.batch.batch import Batch
from jobs.models.fields import EncryptedJSONField
from jobs.models.mirror.job import Job


class InputOutcome(models.TextChoices):
    PENDING = "pending", "Not sent yet"
    # its job says the rest
    SUBMITTED = "submitted", "Submitted"
    REFUSED = "refused", "Refused"


class BatchInput(models.Model):
    # no index of its own: batch_input_once begins with it
    batch = models.ForeignKey(
        Batch, on_delete=models.CASCADE, related_name="inputs", db_index=False
    )
    # from 1, in the order in which they are sent
    position = models.PositiveIntegerField()
    # redacted
    url = models.TextField()
    name = models.CharField(max_length=255, blank=True)
    # what it differs in from the batch's request, complete; null once its submission has it
    line = EncryptedJSONField(null=True, blank=True)
    outcome = models.CharField(
        max_length=10, choices=InputOutcome.choices, default=InputOutcome.PENDING
    )
    # why it was refused
    reason = models.CharField(max_length=500, blank=True)
    # null also where the job has been deleted
    job = models.OneToOneField(
        Job, on_delete=models.SET_NULL, null=True, blank=True, related_name="batch_input"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome__in=InputOutcome.values), name="batch_input_outcome_known"
            ),
            models.UniqueConstraint("batch", "position", name="batch_input_once"),
        ]
        indexes = [
            # the next to be sent, and those that were refused
            models.Index(
                fields=["batch", "outcome", "position"],
                condition=~Q(outcome="submitted"),
                name="batch_input_unsent",
            ),
        ]

    def __str__(self) -> str:
        return f"input {self.position} of batch {self.batch_id}"
