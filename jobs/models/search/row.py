"""The row by which a job is searched."""

from collections.abc import Iterable
from typing import Any

from django.db import models

from jobs.models.mirror.job import Job


class TrigramsField(models.Field[Any, Any]):
    """Numbers in an array on PostgreSQL. NULL on SQLite, whose index is made of the text."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**(kwargs | {"null": True, "editable": False}))

    def db_type(self, connection: Any) -> str:
        return "integer[]" if connection.vendor == "postgresql" else "text"

    def get_placeholder(self, value: Any, compiler: Any, connection: Any) -> str:
        return "%s::integer[]" if connection.vendor == "postgresql" else "%s"

    def get_db_prep_value(
        self, value: Iterable[int] | None, connection: Any, prepared: bool = False
    ) -> str | None:
        if value is None or connection.vendor != "postgresql":
            return None
        return f"{{{','.join(map(str, value))}}}"


class JobSearch(models.Model):
    """What a job is found by, in its normal form, an entry a line. Written by jobs.mirror.search.

    Apart from Job, so that no list loads it. Its indexes are in jobs.models.search.indexes.
    """

    job = models.OneToOneField(
        Job, on_delete=models.CASCADE, primary_key=True, related_name="search"
    )
    text = models.TextField()
    trigrams = TrigramsField()

    class Meta:
        verbose_name_plural = "job searches"

    def __str__(self) -> str:
        return f"search text of job {self.pk}"
