"""What the tests of retry rules share: a rule, jobs that fail, and workers that take turns."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from jobs.mirror.failures.resolved import settle_retries
from jobs.models import AutomaticRetry, Job, ProviderAccount, RetryRule, RetryState
from jobs.retry_rules import service
from jobs.retry_rules.worker import run_rule
from organizations.models import Role, User
from providers.core.status import JobStatus
from tests.factories import make_membership
from tests.jobs.factories import NOON, make_job

MakeRule = Callable[..., RetryRule]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON + timedelta(days=1), tick=False) as traveller:
        yield traveller


@pytest.fixture
def manager(account: ProviderAccount) -> User:
    user: User = make_membership(account.organization, Role.MANAGER).user
    return user


@pytest.fixture
def make_rule(account: ProviderAccount, manager: User) -> MakeRule:
    """A rule that is on, for sources that were too slow, unless said otherwise."""

    def make_rule(*, on: bool = True, **fields: Any) -> RetryRule:
        defaults = {"name": "Busy inputs", "error_class": "input.timeout", "delay_minutes": 5}
        rule = RetryRule(organization=account.organization, **(defaults | fields))
        service.create_rule(rule, manager)
        if on:
            service.switch_on(rule, manager)
        return rule

    return make_rule


def failure(account: ProviderAccount, **fields: Any) -> Job:
    """A job that we saw fail now, since its source was too slow."""
    now = timezone.now()
    defaults: dict[str, Any] = {
        "status": "failed",
        "created_at": now - timedelta(minutes=10),
        "finished_at": now,
        "observed_finished_at": now,
        "error_class": "input.timeout",
    }
    return make_job(account, **(defaults | fields))


def end(job: Job, status: JobStatus = JobStatus.FAILED, **fields: Any) -> None:
    """Have an attempt end now, as the mirror's writer would."""
    now = timezone.now()
    error = {"error_class": "input.timeout"} if status == JobStatus.FAILED else {}
    ended = {"ended_at": now, "ended_at_source": "observed", "observed_finished_at": now}
    with transaction.atomic():
        Job.objects.filter(pk=job.pk).update(status=status, **(error | ended | fields))
        settle_retries([Job.objects.get(pk=job.pk)], now)


def run(rule: RetryRule) -> None:
    """Have a worker run the rule now."""
    RetryRule.objects.filter(pk=rule.pk, next_at__isnull=False).update(next_at=timezone.now())
    run_rule(rule.pk)


def retried(rule: RetryRule) -> set[int]:
    """The failures that it has retried."""
    return set(rule.retries.requested().values_list("job", flat=True))


def attempt_of(job: Job) -> Job:
    made = AutomaticRetry.objects.get(job=job, state=RetryState.REQUESTED).new_job
    assert made is not None
    return made
