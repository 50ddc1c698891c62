"""A sign of life for a watcher outside, which raises the alarm when it stays away."""

from datetime import datetime, timedelta

import requests
import structlog
from celery import shared_task
from django.conf import settings
from django.utils import timezone

from jobs.models import ProviderAccount
from jobs.sync.outcome import IDLE_INTERVAL_S

log = structlog.get_logger(__name__)

# Beyond the account's own interval: a slow pass, a few failures, a restart.
GRACE = timedelta(minutes=10)
ANSWER_SECONDS = 10


@shared_task(name="dashboard.heartbeat.send")
def send() -> None:
    """Call HEARTBEAT_URL while syncing works.

    That this runs shows that beat, broker, worker and database do. A watcher that cannot be
    reached is logged and nothing more: the next minute tries again.
    """
    if not (settings.HEARTBEAT_URL and is_syncing(timezone.now())):
        return
    try:
        requests.get(settings.HEARTBEAT_URL, timeout=ANSWER_SECONDS).raise_for_status()
    except requests.RequestException as error:
        # by its class alone: the URL is a secret, and the exception's text contains it
        log.warning("heartbeat not delivered", error=type(error).__name__)


def is_syncing(now: datetime) -> bool:
    """Whether an account that is not paused was synchronised lately, or there is none.

    One is enough: a provider that is down is no fault of ours, and the metrics show it.
    """
    accounts = ProviderAccount.objects.filter(enabled=True).defer("credentials", "hook_secret")
    found = [_is_in_time(account, now) for account in accounts]
    return any(found) or not found


def _is_in_time(account: ProviderAccount, now: datetime) -> bool:
    # a new account has had no time yet
    since = account.last_success_at or account.created_at
    interval = timedelta(seconds=account.option_int("idle_interval_s", IDLE_INTERVAL_S))
    return now - since <= interval + GRACE
