"""The one export that an organization may have running."""

from django.db import models

from jobs.models.work import LeasedModel
from organizations.models import Organization


class ExportSlot(LeasedModel):
    """Held, as a lease, by the web request that streams the export."""

    organization = models.OneToOneField(
        Organization, on_delete=models.CASCADE, primary_key=True, related_name="+"
    )

    def __str__(self) -> str:
        return f"Export slot of organization {self.pk}"
