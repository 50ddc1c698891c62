"""What a rule retries, when, and what it leaves to people."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from jobs.actions.resubmission import request_resubmit
from jobs.models import (
    AutomaticRetry,
    Job,
    JobAction,
    ProviderAccount,
    RetryRule,
    RetryState,
)
from jobs.retry_rules import requesting, service
from jobs.retry_rules.dry_run import dry_run
from organizations.models import AuditEntry, User
from providers.core.status import JobStatus
from tests.factories import make_organization
from tests.jobs.factories import NOON, make_account
from tests.jobs.retry_rules.conftest import MakeRule, attempt_of, end, failure, retried, run

pytestmark = pytest.mark.django_db

Clock = time_machine.Traveller


def state_of(job: Job) -> tuple[str, str]:
    retry = AutomaticRetry.objects.get(job=job)
    return retry.state, retry.reason


def test_a_failure_is_retried_after_a_growing_delay_as_often_as_allowed(
    account: ProviderAccount, make_rule: MakeRule, clock: Clock
) -> None:
    rule = make_rule(max_retries=2)
    first = failure(account)
    run(rule)
    clock.shift(timedelta(minutes=4, seconds=59))
    run(rule)
    assert retried(rule) == set()
    clock.shift(1)
    run(rule)
    second = attempt_of(first)
    assert (second.status, second.retry_of, second.submitted_by) == ("submitting", first, None)
    end(second)
    run(rule)
    clock.shift(timedelta(minutes=9))
    run(rule)
    assert retried(rule) == {first.pk}
    clock.shift(timedelta(minutes=1))
    run(rule)
    third = attempt_of(second)
    end(third)
    for _ in range(5):
        clock.shift(timedelta(hours=1))
        run(rule)
    assert retried(rule) == {first.pk, second.pk}
    assert not AutomaticRetry.objects.filter(job=third).exists()
    label = "Retry rule “Busy inputs”: 2 of 2"
    for job in (second, third):
        assert job.events.filter(message=label).count() == 1
    entry = AuditEntry.objects.about(second).get()
    assert (entry.actor_name, entry.action_id) == ("Retry rule “Busy inputs”", rule.audit_id)


def test_the_dry_run_names_what_the_rule_then_retries(
    organization: Any, account: ProviderAccount, make_rule: MakeRule, clock: Clock
) -> None:
    other = make_account(organization, name="other")
    stranger = make_account(make_organization(), name="main")
    rule = make_rule(account=account, error_class="input.*", max_retries=2, daily_limit=4)
    named = [failure(account) for _ in range(2)]
    failure(other)
    failure(stranger)
    failure(account, error_class="input.corrupt")  # does not go away by itself
    failure(account, error_class="provider.outage")
    failure(account, remote_id=None)  # was never accepted, and its settings are unknown
    failure(account, created_at=NOON - timedelta(days=2), finished_at=NOON - timedelta(days=2))
    failure(account, first_seen_at=NOON, observed_finished_at=None)  # found by the import
    failure(account, status="succeeded", error_class="")
    for _ in range(4):
        run(rule)
        clock.shift(timedelta(minutes=20))
        for attempt in Job.objects.filter(status=JobStatus.SUBMITTING):
            end(attempt)
    # one more than the daily number
    failure(account)
    clock.shift(timedelta(minutes=1))
    run(rule)
    clock.shift(timedelta(minutes=20))
    run(rule)
    made = retried(rule)
    assert len(made) == 4
    assert made > {job.pk for job in named}
    found = dry_run(rule, timezone.now())
    assert set(found.jobs) == made
    assert (found.over_limit, found.is_complete) == (1, True)
    # what the rule itself has retried is no work that people had
    assert (found.retried, found.succeeded, found.not_retried) == (0, 0, 4)


def test_a_dry_run_counts_what_people_retried_and_what_came_of_it(
    account: ProviderAccount, make_rule: MakeRule, manager: User, clock: Clock
) -> None:
    rule = make_rule(on=False)
    for status in (JobStatus.SUCCEEDED, JobStatus.FAILED):
        job = failure(account)
        end(request_resubmit(job, user=manager).job, status, error_class="encode.failed")
    failure(account)
    clock.shift(timedelta(days=29))
    found = dry_run(rule, timezone.now())
    assert (found.count, found.retried, found.succeeded, found.not_retried) == (3, 2, 1, 1)
    clock.shift(timedelta(days=2))
    assert dry_run(rule, timezone.now()).count == 0
    # it writes nothing
    assert not AutomaticRetry.objects.exists()


def test_a_dry_run_says_how_far_back_it_could_count(
    account: ProviderAccount, make_rule: MakeRule, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.retry_rules import dry_run as module

    rule = make_rule(on=False)
    jobs = []
    for _ in range(5):
        jobs.append(failure(account))
        clock.shift(timedelta(hours=1))
    monkeypatch.setattr(module, "MAX_COUNTED", 3)
    found = dry_run(rule, timezone.now())
    assert (found.count, found.is_complete) == (3, False)
    assert found.since == jobs[2].ended_at
    monkeypatch.setattr(module, "MAX_SEARCHED", 1)
    assert dry_run(rule, timezone.now()).since == jobs[3].ended_at


def test_what_happened_before_the_rule_was_on_is_left_to_people(
    account: ProviderAccount, make_rule: MakeRule, manager: User, clock: Clock
) -> None:
    rule = make_rule(on=False)
    before = failure(account)
    run(rule)
    clock.shift(1)
    service.switch_on(rule, manager)
    # it ended by the provider's clock after that, and was seen before
    failure(account, finished_at=timezone.now(), observed_finished_at=before.ended_at)
    clock.shift(1)
    after = failure(account)
    service.switch_off(rule, manager)
    clock.shift(1)
    service.switch_on(rule, manager)
    run(rule)
    assert not AutomaticRetry.objects.exists()
    clock.shift(1)
    after = failure(account)
    # what had ended longer than a day before we heard of it
    old = timezone.now() - timedelta(days=2)
    failure(account, finished_at=old)
    run(rule)
    assert [retry.job for retry in rule.retries.all()] == [after]


@pytest.mark.parametrize("is_native", [True, False])
def test_what_a_person_has_retried_is_left_alone(
    account: ProviderAccount, make_rule: MakeRule, manager: User, clock: Clock, is_native: bool
) -> None:
    rule = make_rule()
    job = failure(account)
    run(rule)
    if is_native:
        retry = request_resubmit(job, user=manager).job
    else:
        retry = failure(account, retry_of=job, status="running", error_class="")
    clock.shift(timedelta(minutes=6))
    run(rule)
    assert state_of(job) == (RetryState.DROPPED, f"It was retried as job {retry.pk}.")
    assert list(Job.objects.filter(retry_of=job)) == [retry]


def test_a_rule_that_is_off_changed_or_deleted_retries_nothing_more(
    account: ProviderAccount, make_rule: MakeRule, manager: User, clock: Clock
) -> None:
    rules = [
        make_rule(name=f"rule {number}", error_class=error)
        for number, error in enumerate(("input.timeout", "provider.outage", "quota.rate"))
    ]
    jobs = []
    for rule in rules:
        jobs.append(failure(account, error_class=rule.error_class))
        run(rule)
    service.switch_off(rules[0], manager)
    rules[1].error_class = "output.failed"
    service.change_rule(rules[1], manager)
    service.delete_rule(rules[2], manager)
    service.switch_on(rules[0], manager)
    clock.shift(timedelta(minutes=6))
    for rule in rules[:2]:
        run(rule)
    assert [state_of(job) for job in jobs] == [
        (RetryState.DROPPED, "The rule was switched off."),
        (RetryState.DROPPED, "The rule no longer applies to it."),
        (RetryState.DROPPED, "The rule was deleted."),
    ]
    assert not JobAction.objects.exists()
    assert AutomaticRetry.objects.get(job=jobs[2]).rule_name == "rule 2"


def test_a_person_cancels_a_retry_that_waits(
    account: ProviderAccount, make_rule: MakeRule, manager: User, clock: Clock
) -> None:
    rule = make_rule()
    job = failure(account)
    run(rule)
    service.cancel_retry(job, user=manager)
    with pytest.raises(service.RetryEnded):
        service.cancel_retry(job, user=manager)
    clock.shift(timedelta(minutes=6))
    run(rule)
    assert state_of(job)[0] == RetryState.CANCELLED
    event = job.events.get()
    assert (event.message, event.actor) == ("Retry rule “Busy inputs”: 1 of 3 cancelled", manager)
    assert AuditEntry.objects.about(job).get().action == "job.automatic_retry_cancelled"


def test_a_paused_account_and_one_with_retries_under_way_wait(
    organization: Any, account: ProviderAccount, make_rule: MakeRule, clock: Clock
) -> None:
    paused = make_account(organization, name="paused", enabled=False)
    rule = make_rule()
    for one in (account, paused):
        for _ in range(requesting.UNDER_WAY + 2):
            failure(one)
    run(rule)
    clock.shift(timedelta(minutes=6))
    for _ in range(2):
        run(rule)
        assert rule.retries.requested().count() == requesting.UNDER_WAY
    Job.objects.filter(status=JobStatus.SUBMITTING).update(status=JobStatus.QUEUED)
    run(rule)
    assert rule.retries.requested().count() == requesting.UNDER_WAY + 2
    ProviderAccount.objects.filter(pk=paused.pk).update(enabled=True)
    run(rule)
    assert rule.retries.requested().filter(account=paused).count() == requesting.UNDER_WAY


def test_a_merged_group_counts_with_its_rule(
    account: ProviderAccount, make_rule: MakeRule, clock: Clock
) -> None:
    one = failure(account, error_message="slow")
    two = failure(account, error_message="very slow")
    group, merged = one.error_group, two.error_group
    assert group is not None
    assert merged is not None
    merged.merged_into = group
    merged.save()
    clock.shift(1)
    rule = make_rule(error_class="", error_group=group)
    jobs = {failure(account, error_message=text).pk for text in ("slow", "very slow")}
    failure(account, error_message="of another kind")
    run(rule)
    assert set(rule.retries.values_list("job", flat=True)) == jobs


def test_what_can_no_longer_be_retried_says_why(
    account: ProviderAccount, make_rule: MakeRule, clock: Clock
) -> None:
    rule = make_rule()
    job = failure(account)
    run(rule)
    Job.objects.filter(pk=job.pk).update(gone_at=timezone.now())
    clock.shift(timedelta(minutes=6))
    run(rule)
    assert state_of(job) == (RetryState.DROPPED, "The provider no longer has it.")
    assert RetryRule.objects.get().lease is None


def test_what_waited_at_a_paused_account_for_days_is_left_to_people(
    account: ProviderAccount, make_rule: MakeRule, clock: Clock
) -> None:
    rule = make_rule()
    late = failure(account)
    run(rule)
    ProviderAccount.objects.update(enabled=False)
    clock.shift(timedelta(days=1))
    later = failure(account)
    run(rule)
    clock.shift(timedelta(minutes=6))
    ProviderAccount.objects.update(enabled=True)
    run(rule)
    assert retried(rule) == {later.pk}
    assert state_of(late) == ("dropped", "It was due more than a day ago, and is left to people.")
