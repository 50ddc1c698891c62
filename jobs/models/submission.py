"""A submission: the row that makes sure a job is sent once."""

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from jobs.models.account import ProviderAccount
from jobs.models.fields import EncryptedJSONField
from jobs.models.mirror.job import Job
from jobs.models.work import WorkItem, unleased
from organizations.models import Organization


class SubmissionState(models.TextChoices):
    DUE = "due", "Waiting to be sent"
    SENDING = "sending", "Being sent"
    VERIFYING = "verifying", "Searching for it at the provider"
    UNCONFIRMED = "unconfirmed", "Unconfirmed: check at the provider"
    DONE = "done", "Accepted by the provider"
    REFUSED = "refused", "Refused by the provider"


OPEN_STATES = (SubmissionState.DUE, SubmissionState.SENDING, SubmissionState.VERIFYING)
# Whether the provider has the job is open: it counts as one that runs there.
UNCLEAR_STATES = (
    SubmissionState.SENDING,
    SubmissionState.VERIFYING,
    SubmissionState.UNCONFIRMED,
)


class SubmissionQuerySet(models.QuerySet["Submission"]):
    def due(self, now: datetime) -> "SubmissionQuerySet":
        """What a worker may take now: due, of an enabled account, held by no other.

        Joins no table: see jobs.workqueue.leases.take.
        """
        return self.filter(
            unleased(now),
            state__in=OPEN_STATES,
            next_at__lte=now,
            account__in=ProviderAccount.objects.filter(enabled=True),
        ).order_by("next_at")


class Submission(WorkItem):
    job = models.OneToOneField(
        Job, on_delete=models.CASCADE, primary_key=True, related_name="submission"
    )
    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    # the job's; no index of its own, since two of those below begin with it
    account = models.ForeignKey(
        ProviderAccount, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    # sent in the provider's customer field, so that the job can be found again
    key = models.CharField(max_length=32, unique=True)
    # of account, input and settings: the same again within a day needs a confirmation
    fingerprint = models.CharField(max_length=64)
    # the complete JobRequest, with the signatures and keys that its URLs carry
    request = EncryptedJSONField()
    # what the provider approximates, leaves out or decides by itself, in sentences
    remarks = models.JSONField(default=list)
    state = models.CharField(
        max_length=12, choices=SubmissionState.choices, default=SubmissionState.DUE
    )
    # how often the request was sent; more than once only after its absence was confirmed
    sends = models.PositiveIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    # complete lookups that found nothing since it was last sent
    empty_lookups = models.PositiveIntegerField(default=0)
    first_empty_lookup_at = models.DateTimeField(null=True, blank=True)

    objects = SubmissionQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=SubmissionState.values), name="submission_state_known"
            ),
        ]
        indexes = [
            # dispatch: what is due
            models.Index(
                fields=["next_at"],
                condition=Q(state__in=[state.value for state in OPEN_STATES]),
                name="submission_due",
            ),
            # the queue of one account, and a place in it
            models.Index(
                F("account"),
                F("precedence").desc(),
                F("job"),
                condition=Q(state=SubmissionState.DUE.value),
                name="submission_queue",
            ),
            # those that count as running at an account
            models.Index(
                fields=["account"],
                condition=Q(state__in=[state.value for state in UNCLEAR_STATES]),
                name="submission_unclear",
            ),
            # duplicates within a day
            models.Index(
                fields=["organization", "fingerprint", "created_at"], name="submission_repeat"
            ),
        ]

    def __str__(self) -> str:
        return f"submission of job {self.pk}"
