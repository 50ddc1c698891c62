"""Who wants to know when a job ends."""

from django.db import models
from django.utils import timezone

from jobs.models.mirror.job import Job
from organizations.models import Membership


class EndNotice(models.Model):
    """A member's wish, from the click on until the notice is dismissed.

    That the job has ended is read from the job, so that nothing that writes jobs has to know.
    """

    # no index of its own: the constraint's begins with it
    membership = models.ForeignKey(
        Membership, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    job = models.ForeignKey(Job, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["membership", "job"], name="end_notice_once"),
        ]

    def __str__(self) -> str:
        return f"{self.membership}: {self.job}"
