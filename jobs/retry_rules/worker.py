"""Running retry rules: short runs, of which one for each rule at a time counts."""

from datetime import timedelta

import structlog
from django.utils import timezone

from jobs.models import RetryRule
from jobs.retry_rules.planning import plan
from jobs.retry_rules.requesting import LEASE, request_due
from jobs.workqueue import leases
from jobs.workqueue.dispatch import MESSAGE_TIMEOUT
from jobs.workqueue.enqueue import enqueue_on_commit
from jobs.workqueue.leases import LeaseLost
from jobs.workqueue.reconnect import DISCONNECTED, retry_on_disconnect

log = structlog.get_logger(__name__)

# How often a rule looks for failures, and requests what is due
PAUSE_S = 10.0
ERROR_PAUSE_S = 60.0
# Of all rules: their runs leave most threads to other work.
MAX_RUNS = 2


def dispatch() -> None:
    """Send messages for the rules that are due, longest waiting first. One query if none."""
    now = timezone.now()
    due = RetryRule.objects.due(now).undispatched(now)
    waiting = list(due.values_list("pk", flat=True)[:MAX_RUNS])
    room = MAX_RUNS - RetryRule.objects.being_run(now).count() if waiting else 0
    for pk in waiting[: max(room, 0)]:
        # by condition, since another dispatch may have been faster
        if due.filter(pk=pk).order_by().update(dispatched_until=now + MESSAGE_TIMEOUT):
            enqueue_on_commit("run_retry_rule", pk)


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
