"""Deleting the results of bulk actions that ended long ago; what they came to stays."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef

from jobs.models import BulkAction, BulkTarget
from jobs.models.bulk.action import OPEN_STATES

BATCH = 1_000


def prune(now: datetime, days: int | None = None) -> int:
    """Delete the results of what ended `days` ago, a short transaction at a time; how many.

    `days` are those of the settings unless given.
    """
    kept = timedelta(days=settings.BULK_RESULTS_DAYS if days is None else days)
    results = BulkTarget.objects.filter(bulk=OuterRef("pk"))
    ended = BulkAction.objects.filter(
        Exists(results), next_at__isnull=True, ended_at__lt=now - kept
    ).exclude(state__in=OPEN_STATES)
    deleted = 0
    for pk in list(ended.order_by("pk").values_list("pk", flat=True)):
        # first, so that nobody has the rest run of what is being deleted
        if BulkAction.objects.filter(pk=pk, next_at__isnull=True).update(results_deleted_at=now):
            deleted += _delete_results(pk)
    return deleted


def _delete_results(bulk_id: int) -> int:
    deleted = 0
    while True:
        oldest = BulkTarget.objects.filter(bulk=bulk_id).order_by("pk")
        batch = list(oldest.values_list("pk", flat=True)[:BATCH])
        deleted += BulkTarget.objects.filter(pk__in=batch).delete()[0]
        if len(batch) < BATCH:
            return deleted
