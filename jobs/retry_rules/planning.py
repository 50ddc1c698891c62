"""Finding the failures that a rule retries, each once."""

from datetime import datetime

from django.db import transaction

from jobs.models import AutomaticRetry, Job, RetryRule
from jobs.retry_rules.matching import new_failures
from jobs.workqueue import leases
from jobs.workqueue.leases import LeaseLost

# Of one run
CHUNK = 200


def plan(rule: RetryRule, now: datetime) -> bool:
    """Write a waiting retry for each new failure; whether there may be more. Raises LeaseLost.

    A failure that another rule has taken meanwhile is left to it.
    """
    with transaction.atomic():
        current = hold(rule)
        found = new_failures(current, now).only("account_id").order_by("failed_at", "pk")[:CHUNK]
        rows = [_waiting(current, job, now) for job in found]
        AutomaticRetry.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows) == CHUNK


def hold(rule: RetryRule) -> RetryRule:
    """The rule as it is now, locked until the transaction ends.

    Whoever switches it off or changes it waits for that, and then nothing more is done as it was.
    Raises LeaseLost, also where it is off.
    """
    current = leases.held(rule).filter(starts_at__isnull=False)
    found = current.select_for_update(no_key=True).first()
    if found is None:
        raise LeaseLost
    return found


def _waiting(rule: RetryRule, job: Job, now: datetime) -> AutomaticRetry:
    number = int(job.__dict__["depth"]) + 1
    # a clock that was ahead makes nobody wait for longer
    heard_at: datetime = min(job.__dict__["heard_at"], now)
    return AutomaticRetry(
        rule=rule,
        rule_name=rule.name,
        max_retries=rule.max_retries,
        number=number,
        job=job,
        account_id=job.account_id,
        next_at=heard_at + rule.delay(number),
    )
