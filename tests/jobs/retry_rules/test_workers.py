"""Two workers, killed ones and moved clocks: never more than the rule allows, and each once."""

from collections import Counter
from datetime import timedelta

import pytest
import time_machine
from django.db.models import Count
from django.utils import timezone

from jobs.models import AutomaticRetry, Job, JobAction, ProviderAccount, RetryRule, RetryState
from jobs.retry_rules.planning import plan
from jobs.retry_rules.requesting import request_retry
from jobs.retry_rules.worker import run_rule
from jobs.workqueue import leases
from organizations.models import AuditEntry
from providers.core.status import JobStatus
from tests.jobs.bulk.test_killed import run_until
from tests.jobs.retry_rules.conftest import MakeRule, end, failure, run
from tests.threads import together

Clock = time_machine.Traveller


@pytest.mark.django_db(transaction=True)
def test_two_workers_and_a_moved_clock_keep_to_the_numbers(
    account: ProviderAccount, make_rule: MakeRule, clock: Clock
) -> None:
    rule = make_rule(max_retries=2, daily_limit=3, delay_minutes=1)
    moves = [600, 600, -3600, 600, 80_000, 600, 600, -90_000, 86_000, 80_000, 600, 80_000, 600, 600]
    for move in moves:
        for _ in range(2):
            failure(account)
        clock.shift(move)
        for _ in range(2):
            RetryRule.objects.update(next_at=timezone.now(), leased_until=None)
            together(*[lambda: run_rule(rule.pk)] * 2)
        for attempt in Job.objects.filter(status=JobStatus.SUBMITTING):
            end(attempt)
    made = AutomaticRetry.objects.requested()
    per_day = Counter(made.values_list("day", flat=True))
    assert max(per_day.values()) == 3
    assert len(per_day) > 1
    assert max(Counter(made.values_list("root_id", flat=True)).values()) == 2
    assert JobAction.objects.count() == made.count()
    twice = Job.objects.annotate(retried=Count("retries")).filter(retried__gt=1)
    assert not twice.exists()


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_it_resumes(
    account: ProviderAccount, make_rule: MakeRule, clock: Clock
) -> None:
    rule = make_rule(daily_limit=1_000)
    point, was_killed = 0, True
    while was_killed:
        point += 1
        Job.objects.filter(status=JobStatus.SUBMITTING).update(status=JobStatus.QUEUED)
        job = failure(account)
        run(rule)
        failure(account)
        clock.shift(timedelta(minutes=6))
        RetryRule.objects.update(next_at=timezone.now())
        was_killed = run_until(point, lambda: run_rule(rule.pk))
        # the lease runs out
        RetryRule.objects.update(lease=None, leased_until=None, dispatched_until=None)
        for _ in range(2):
            run(rule)
        retry = AutomaticRetry.objects.get(job=job)
        assert retry.state == RetryState.REQUESTED, point
        assert Job.objects.filter(retry_of=job).count() == 1, point
        assert AuditEntry.objects.about(job).count() == 1, point
        assert job.events.filter(message=retry.label).count() == 1, point
    assert point > 6


@pytest.mark.django_db
def test_a_worker_that_was_paused_past_its_lease_requests_nothing(
    account: ProviderAccount, make_rule: MakeRule, clock: Clock
) -> None:
    rule = make_rule()
    job = failure(account)
    run(rule)
    clock.shift(timedelta(minutes=6))
    slow = leases.take(RetryRule.objects.all(), rule.pk, leases.CALL_LEASE)
    assert slow is not None
    RetryRule.objects.update(lease=None, leased_until=None)
    retry = AutomaticRetry.objects.get(job=job)
    for work in (lambda: request_retry(slow, retry.pk), lambda: plan(slow, timezone.now())):
        with pytest.raises(leases.LeaseLost):
            work()
    assert not JobAction.objects.exists()
