"""A batch: many inputs for one account with the same settings, and how far it has been sent."""

from django.db import models
from django.db.models import Q

from jobs.models.account import ProviderAccount
from jobs.models.fields import EncryptedJSONField
from jobs.models.requests.template import TemplateVersion
from jobs.models.work import LongWork, LongWorkQuerySet

MAX_NAME = 100


class BatchState(models.TextChoices):
    SENDING = "sending", "Sending"
    STOPPED = "stopped", "Stopped"
    # each of its inputs was submitted or refused
    SENT = "sent", "Sent"


class Batch(LongWork):
    AUDIT_NAME = "batch"
    OPEN_STATES = (BatchState.SENDING,)

    # where its inputs go; null for one that has only jobs which were added to it
    account = models.ForeignKey(
        ProviderAccount,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    name = models.CharField(max_length=MAX_NAME)
    # the JobRequest that each input is put into, with the secrets of its URLs; null without an
    # account
    request = EncryptedJSONField(null=True, blank=True)
    # what the request was made of, for the record
    template_version = models.ForeignKey(
        TemplateVersion, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # whether an input is submitted although the same job ran within a day
    allow_duplicates = models.BooleanField(default=False)
    state = models.CharField(max_length=8, choices=BatchState.choices, default=BatchState.SENDING)

    # the inputs, and the jobs that were added to it
    total = models.PositiveIntegerField()
    # of the inputs; written with each one's outcome
    submitted = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    # jobs that were submitted otherwise
    added = models.PositiveIntegerField(default=0)

    objects = LongWorkQuerySet["Batch"].as_manager()

    class Meta:
        verbose_name_plural = "batches"
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=BatchState.values), name="batch_state_known"
            ),
            models.UniqueConstraint("organization", "name", name="batch_name_once"),
        ]
        indexes = [
            # the tick: what is due
            models.Index(fields=["next_at"], condition=Q(next_at__isnull=False), name="batch_due"),
            # the list
            models.Index(fields=["organization", "-created_at", "-id"], name="batch_list"),
            # deleting accounts
            models.Index(fields=["account"], name="batch_account"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def unsent(self) -> int:
        """How many inputs were neither submitted nor refused so far."""
        return max(self.total - self.added - self.submitted - self.refused, 0)
