"""The keys under which calls were made, so that a repeated call is carried out once."""

from django.db import models

from jobs.models.batch.batch import Batch
from jobs.models.bulk.action import BulkAction
from jobs.models.mirror.job import Job
from organizations.models import Organization


class IdempotencyKey(models.Model):
    """One key of one caller. It outlives its job, its caller and its account.

    What is repeated after its key was pruned is carried out again: see jobs.submission.idempotency.
    """

    organization = models.ForeignKey(Organization, on_delete=models.CASCADE, related_name="+")
    # `token:ID` or `user:ID`; never null, since a unique index admits any number of nulls
    owner = models.CharField(max_length=60)
    key = models.CharField(max_length=255)
    # what was called, and on which job: `submit`, `resubmit 374`
    call = models.CharField(max_length=60)
    # of the call and its body
    fingerprint = models.CharField(max_length=64)
    # null: deleted since
    job = models.ForeignKey(Job, on_delete=models.SET_NULL, null=True, related_name="+")
    # of a bulk action or a batch, in place of a job
    bulk = models.ForeignKey(BulkAction, on_delete=models.SET_NULL, null=True, related_name="+")
    batch = models.ForeignKey(Batch, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint("organization", "owner", "key", name="idempotency_key_once"),
        ]

    def __str__(self) -> str:
        return f"{self.key} of {self.owner}"
