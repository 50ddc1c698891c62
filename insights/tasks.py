"""Background work: each task calls one function."""

from celery import shared_task
from django.utils import timezone

from insights.errors import mutes


@shared_task(name="insights.tasks.end_mutes")
def end_mutes() -> None:
    mutes.end_mutes(timezone.now())
