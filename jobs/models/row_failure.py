"""Rows of lists that could not be rendered, counted for /metrics."""

from django.db import models
from django.db.models import F
from django.utils import timezone


class RowFailure(models.Model):
    """One row for each template. In the database, so that all web processes count together."""

    template = models.CharField(max_length=100, primary_key=True)
    count = models.PositiveBigIntegerField(default=0)
    last_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.template}: {self.count}"

    @classmethod
    def record(cls, template: str) -> None:
        now = timezone.now()
        cls.objects.get_or_create(template=template, defaults={"last_at": now})
        cls.objects.filter(template=template).update(count=F("count") + 1, last_at=now)
