"""The Celery application; its settings are the CELERY_* ones of dashboard/settings.py."""

import os
from typing import Any

from celery import Celery
from celery.signals import celeryd_after_setup, setup_logging
from celery.worker.consumer import Consumer
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "dashboard.settings")

TRANSPORT_ALIASES["filesystem"] = "dashboard.broker:Transport"

app = Celery("dashboard")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


CHATTER = {
    "celery.worker.consumer.mingle:Mingle",
    "celery.worker.consumer.gossip:Gossip",
    "celery.worker.consumer.heart:Heart",
}


class QuietConsumer(Consumer):
    """A consumer without the chatter between workers.

    Nothing here needs to know another worker (leases in the database keep them apart), and
    gossip has been seen to fail on a reconnect. Celery offers this as command-line options
    alone, so a plain `celery -A dashboard worker` would not have it.
    """

    class Blueprint(Consumer.Blueprint):  # type: ignore[valid-type, misc]  # for the stubs a variable
        default_steps = [step for step in Consumer.Blueprint.default_steps if step not in CHATTER]


@celeryd_after_setup.connect
def note_concurrency(instance: Any, conf: Any, **kwargs: Any) -> None:
    """Let `--concurrency` be known to what counts the threads (jobs.workqueue.slots)."""
    conf.worker_concurrency = instance.concurrency


@setup_logging.connect
def keep_django_logging(**kwargs: Any) -> None:
    """Having a receiver keeps Celery from replacing what settings.LOGGING has set up."""
