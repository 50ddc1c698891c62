"""Background work: each task calls one function."""

from celery import shared_task
from django.utils import timezone

from insights.errors import mutes
from insights.rollups import upkeep


@shared_task(name="insights.tasks.end_mutes")
def end_mutes() -> None:
    mutes.end_mutes(timezone.now())


@shared_task(name="insights.tasks.keep_up_rollups")
def keep_up_rollups() -> None:
    upkeep.keep_up(timezone.now())
