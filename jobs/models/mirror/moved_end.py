"""Where an ended job no longer is, which its own row does not say."""

from collections.abc import Iterable
from datetime import datetime

from django.db import models

from organizations.models import Organization


class MovedEnd(models.Model):
    """A time at which a job counted as ended until its end moved, or its row was deleted.

    The mirror's writer adds it in the transaction that does so, for whoever sums up ended jobs by
    time: a sum that contains `at` is wrong from then on. Who has corrected it deletes the row.
    """

    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="+", db_index=False
    )
    at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["organization", "at"], name="moved_end")]

    def __str__(self) -> str:
        return f"an end at {self.at:%Y-%m-%d %H:%M}"

    @staticmethod
    def record(organization_id: int, times: Iterable[datetime | None]) -> None:
        """None among `times` is of jobs that had not ended."""
        rows = [MovedEnd(organization_id=organization_id, at=at) for at in times if at]
        MovedEnd.objects.bulk_create(rows)
