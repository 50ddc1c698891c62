"""Running retry rules: short runs, of which one for each rule at a time counts."""

from datetime import timedelta

import structlog
from django.utils import timezone

from jobs.models import RetryRule
from jobs.retry_rules.planning import plan
from jobs.retry_rules.requesting import LEASE, request_due
from jobs.workqueue import leases, short_runs
from jobs.workqueue.leases import LeaseLost
from jobs.workqueue.reconnect import DISCONNECTED, retry_on_disconnect

log = structlog.get_logger(__name__)

# How often a rule looks for failures, and requests what is due
PAUSE_S = 10.0
ERROR_PAUSE_S = 60.0


def dispatch() -> None:
    short_runs.dispatch(RetryRule.objects.all(), "run_retry_rule")


def run_rule(rule_id: int) -> None:
    """Plan retries of new failures and request those that are due. Safe to run twice at a time."""
    now = timezone.now()
    rule = leases.take(RetryRule.objects.due(now), rule_id, LEASE)
    if rule is None:
        return
    pause_s = ERROR_PAUSE_S
    try:
        has_more = plan(rule, now)
        request_due(rule, now)
        pause_s = 0 if has_more else PAUSE_S
    except LeaseLost:
        log.info("retry rule switched off, changed or taken over", rule=rule.pk)
        pause_s = PAUSE_S
    except DISCONNECTED:
        pause_s = 0
        raise
    finally:
        retry_on_disconnect(lambda: _release(rule, pause_s))
    dispatch()


def _release(rule: RetryRule, pause_s: float) -> None:
    next_at = timezone.now() + timedelta(seconds=pause_s)
    leases.held(rule).filter(starts_at__isnull=False).update(next_at=next_at)
    leases.release(rule)
