"""Sending a message to the workers that something is due, without ever depending on it.

What must happen is a row with a due time that a sweep finds; the message only makes it quick.
"""

from functools import partial

import structlog
from celery import current_app
from django.db import transaction

log = structlog.get_logger(__name__)

# By then the sweep has sent another: without workers messages must not pile up.
EXPIRES_S = 60


def enqueue_on_commit(task: str, *args: int | str) -> None:
    """Publish `jobs.tasks.<task>` after the transaction; a broker that is down costs time only."""
    transaction.on_commit(partial(_publish, f"jobs.tasks.{task}", args))


def _publish(name: str, args: tuple[int | str, ...]) -> None:
    try:
        current_app.send_task(name, args, expires=EXPIRES_S)
    except Exception as error:  # whatever a broker's client raises
        log.warning("not published; the next tick sends it", task=name, error=type(error).__name__)
