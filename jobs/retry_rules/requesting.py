"""Requesting the retries that are due: each once, within what the rule allows."""

from datetime import date, datetime, timedelta

import structlog
from django.db import transaction
from django.utils import timezone

from jobs.actions.attempts import lock_attempts, retries_of
from jobs.actions.offers import ActionRefused
from jobs.actions.resubmission import request_resubmit
from jobs.models import AutomaticRetry, EventSource, Job, JobEvent, RetryRule, RetryState
from jobs.models.retry_rules.retry import AutomaticRetryQuerySet
from jobs.retry_rules.matching import HEARD_WITHIN, open_failures
from jobs.retry_rules.planning import hold
from jobs.submission.validation import SubmissionRefused
from jobs.workqueue import leases
from jobs.workqueue.reconnect import DISCONNECTED
from organizations.audit.origin import Origin, acting_from
from providers.core.status import JobStatus

log = structlog.get_logger(__name__)

# A run only reads and writes here: what a killed one held is soon free.
LEASE = timedelta(seconds=30)
# Of all rules, at each account: a person's own submission waits behind no more than these.
UNDER_WAY = 5
# What the provider has not answered for by then no longer counts.
UNDER_WAY_FOR = timedelta(minutes=10)


class NotRetried(Exception):
    """Why a retry that is due is not made."""

    def __init__(self, reason: str, state: RetryState = RetryState.DROPPED) -> None:
        super().__init__(reason)
        self.state = state


def request_due(rule: RetryRule, now: datetime) -> None:
    """Request what is due, as far as there is room at each account. Raises LeaseLost."""
    due = rule.retries.waiting().filter(next_at__lte=now, account__enabled=True)
    for account in list(due.order_by("account").values_list("account", flat=True).distinct()):
        leases.renew(rule, LEASE)
        here = due.filter(account=account).order_by("next_at", "pk")
        for pk in list(here.values_list("pk", flat=True)[: UNDER_WAY - _count_under_way(account)]):
            request_retry(rule, pk)


def request_retry(rule: RetryRule, retry_id: int) -> None:
    """Request one, and write in the same transaction that this was done. Raises LeaseLost.

    So neither a second worker nor one that takes over requests it again.
    """
    origin = Origin(None, rule.audit_id, rule.label)
    with acting_from(origin), transaction.atomic():
        # of two retries, the second counts the first
        current = hold(rule)
        waiting = AutomaticRetry.objects.waiting().select_for_update(no_key=True)
        retry = waiting.filter(pk=retry_id).first()
        if retry is not None:
            _settle(current, retry)


def count_today(rule: RetryRule, account_id: int, day: date) -> int:
    return rule.retries.requested().filter(day=day, account=account_id).count()


def _count_under_way(account_id: int) -> int:
    recent = AutomaticRetry.objects.requested().filter(
        account=account_id, requested_at__gt=timezone.now() - UNDER_WAY_FOR
    )
    return min(recent.filter(new_job__status=JobStatus.SUBMITTING).count(), UNDER_WAY)


def _settle(rule: RetryRule, retry: AutomaticRetry) -> None:
    try:
        with transaction.atomic():
            _request(rule, retry)
    except NotRetried as error:
        _drop(rule, retry, str(error), error.state)
    except (ActionRefused, SubmissionRefused) as error:
        _drop(rule, retry, str(error))
    except DISCONNECTED:
        raise
    except Exception:
        # one job must not keep the others waiting
        log.exception("automatic retry failed", rule=rule.pk, job=retry.job_id)
        _drop(rule, retry, "Internal error; see the server log.")


def _request(rule: RetryRule, retry: AutomaticRetry) -> None:
    job = retry.job
    root = lock_attempts(job)
    if retries := retries_of(job):
        raise NotRetried(f"It was retried as job {retries[0].pk}.")
    if not open_failures(rule).filter(pk=job.pk).exists():
        raise NotRetried("The rule no longer applies to it.")
    earlier = _requested_of(root)
    if earlier.count() >= rule.max_retries:
        raise NotRetried("It has been retried as often as the rule allows.")
    now = timezone.now()
    if now - retry.next_at > HEARD_WITHIN:
        raise NotRetried("It was due more than a day ago, and is left to people.")
    day = timezone.localdate(now, rule.zone)
    if count_today(rule, retry.account_id, day) >= rule.daily_limit:
        reason = f"The rule had made its {rule.daily_limit} retries of the day at this account."
        raise NotRetried(reason, RetryState.OVER_LIMIT)
    made = request_resubmit(job, is_bulk=True).job
    AutomaticRetry.objects.filter(pk=retry.pk).update(
        state=RetryState.REQUESTED, requested_at=now, day=day, root_id=root, new_job=made
    )
    for one in (job, made):
        _record(one, retry.label)


def _requested_of(root: int) -> AutomaticRetryQuerySet:
    return AutomaticRetry.objects.requested().filter(root_id=root)


def _drop(
    rule: RetryRule,
    retry: AutomaticRetry,
    reason: str,
    state: RetryState = RetryState.DROPPED,
) -> None:
    day = timezone.localdate(timezone.now(), rule.zone)
    AutomaticRetry.objects.filter(pk=retry.pk).update(
        state=state,
        reason=reason[:500],
        day=day if state == RetryState.OVER_LIMIT else None,
    )
    _record(retry.job, f"{retry.label} not made. {reason}")


def _record(job: Job, message: str) -> None:
    JobEvent.build(job, EventSource.ACTION, job.status, job.status, message[:500]).save()
