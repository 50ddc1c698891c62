"""A native resubmit: the next attempt is there at once, and the job runs again once."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine
from django.utils import timezone

from jobs.actions.offers import ActionRefused
from jobs.actions.resubmission import RetryUnfinished, request_resubmit
from jobs.actions.worker import run_action
from jobs.models import ActionState, Job, JobAction, ProviderAccount
from jobs.sync.runner import sync_account
from jobs.workqueue.leases import CALL_LEASE
from tests.factories import make_user
from tests.jobs.answers import newest
from tests.jobs.factories import NOON
from tests.jobs.fake_zencoder import FakeZencoder, failing, unreachable

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]

FAILED_AT = "2026-03-14T11:30:00Z"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON + timedelta(minutes=1), tick=False) as traveller:
        yield traveller


@pytest.fixture
def failed(account: ProviderAccount, zencoder: FakeZencoder, clock: Any) -> Job:
    """Failed at half past eleven by the provider's clock, and mirrored."""
    zencoder.add(72, "failed", finished_at=FAILED_AT)
    sync_account(account.pk, foreground=True)
    clock.shift(5)
    return newest(account, "72")


def ask(job: Job) -> JobAction:
    return JobAction.objects.get(job=request_resubmit(job, user=make_user()).job)


def run_due(clock: time_machine.Traveller, seconds: int) -> None:
    """Do what is due, every five seconds."""
    for _ in range(seconds // 5):
        for pk in JobAction.objects.due(timezone.now()).values_list("pk", flat=True):
            run_action(pk)
        clock.shift(5)


def attempts(job: Job) -> list[tuple[int, str, bool]]:
    rows = Job.objects.filter(remote_id=job.remote_id).order_by("attempt")
    return list(rows.values_list("attempt", "status", "is_newest"))


def test_the_next_attempt_is_there_at_once(
    failed: Job, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    changed_at = failed.changed_at
    asked_at = timezone.now()
    action = ask(failed)
    attempt = action.job
    assert (attempt.status, attempt.attempt, attempt.retry_of) == ("submitting", 2, failed)
    assert attempt.created_at == attempt.sort_at == asked_at
    assert attempt.submitted_by == action.actor
    clock.shift(5)
    for _ in range(2):
        run_action(action.pk)
    attempt.refresh_from_db()
    failed.refresh_from_db()
    assert attempts(failed) == [(1, "failed", False), (2, "queued", True)]
    assert (attempt.created_at, failed.changed_at) == (asked_at, changed_at)
    assert attempt.events.filter(from_status="submitting", to_status="queued").count() == 1
    assert zencoder.asked["resubmit"] == 1


def test_a_lagging_list_ends_no_new_attempt(
    failed: Job, account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    """The provider took it, and its list shows the old failure for a while."""
    old = zencoder.jobs[72]
    action = ask(failed)
    run_action(action.pk)
    running, zencoder.jobs[72] = zencoder.jobs[72], old
    clock.shift(30)
    sync_account(account.pk, foreground=True)
    assert attempts(failed) == [(1, "failed", False), (2, "queued", True)]
    zencoder.jobs[72] = running | {"state": "finished", "finished_at": "2026-03-14T11:30:01Z"}
    sync_account(account.pk, foreground=True)
    assert attempts(failed)[1] == (2, "succeeded", True)


def test_what_is_not_newer_than_the_call_belongs_to_the_attempt_before(
    failed: Job, account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    """Before the call is sent, the provider says more about the failure."""
    ask(failed)
    zencoder.add(72, "failed", finished_at=FAILED_AT, pass_through="order 7")
    clock.shift(30)
    sync_account(account.pk, foreground=True)
    failed.refresh_from_db()
    assert failed.metadata == "order 7"
    assert attempts(failed) == [(1, "failed", False), (2, "submitting", True)]
    # nor is what a run shows that nobody here asked for
    zencoder.move(72, "processing")
    sync_account(account.pk, foreground=True)
    assert attempts(failed) == [(1, "failed", False), (2, "submitting", True)]


def test_a_refusal_fails_the_attempt_and_gives_the_job_its_updates_back(
    failed: Job, account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    zencoder.faults["resubmit"] = failing(403)
    action = ask(failed)
    run_due(clock, 10)
    action.refresh_from_db()
    attempt = action.job
    assert attempts(failed) == [(1, "failed", True), (2, "failed", False)]
    assert "resubmitted too often" in attempt.error_message
    assert "The provider says: Not now." in attempt.error_message
    assert attempt.events.filter(from_status="submitting", to_status="failed").exists()
    assert action.state == ActionState.REFUSED
    with pytest.raises(ActionRefused, match="attempt 1, job"):
        request_resubmit(attempt)
    zencoder.add(72, "failed", finished_at=FAILED_AT, pass_through="order 7")
    sync_account(account.pk, foreground=True)
    failed.refresh_from_db()
    assert failed.metadata == "order 7"
    # and it can be tried again, or run again by somebody else, under a number of its own
    del zencoder.faults["resubmit"]
    run_action(ask(failed).pk)
    assert attempts(failed)[2] == (3, "queued", True)


def test_a_run_that_somebody_else_began_is_an_attempt_after_a_refused_one(
    failed: Job, account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    zencoder.faults["resubmit"] = failing(409)
    action = ask(failed)
    run_due(clock, 10)
    action.job.refresh_from_db()
    assert action.job.error_message == (
        "Zencoder does not run this job again. The provider says: Not now."
    )
    zencoder.move(72, "processing", updated_at="2026-03-14T12:05:00Z")
    sync_account(account.pk, foreground=True)
    assert attempts(failed) == [
        (1, "failed", False),
        (2, "failed", False),
        (3, "running", True),
    ]


@pytest.mark.parametrize(
    ("state", "fields", "expected"),
    [
        ("waiting", {}, "queued"),
        ("processing", {"updated_at": "2026-03-14T11:00:00Z"}, "running"),
        ("failed", {"finished_at": "2026-03-14T11:30:01Z"}, "failed"),
        ("finished", {"finished_at": "2026-03-14T11:30:01Z"}, "succeeded"),
    ],
)
@pytest.mark.parametrize("seen_by", ["the action", "a pass"])
def test_after_a_lost_answer_what_the_job_shows_decides(
    failed: Job,
    account: ProviderAccount,
    zencoder: FakeZencoder,
    clock: time_machine.Traveller,
    state: str,
    fields: dict[str, Any],
    expected: str,
    seen_by: str,
) -> None:
    """The provider's clock is half an hour behind ours, and reports whole seconds."""
    zencoder.loses_answers_of.add("resubmit")
    action = ask(failed)
    run_action(action.pk)
    assert attempts(failed) == [(1, "failed", False), (2, "submitting", True)]
    zencoder.move(72, state, **fields)
    clock.shift(10)
    if seen_by == "a pass":
        sync_account(account.pk, foreground=True)
    run_action(action.pk)
    action.refresh_from_db()
    assert (attempts(failed)[1], action.state) == ((2, expected, True), ActionState.DONE)
    assert zencoder.asked["resubmit"] == 1


def lose(request: requests.PreparedRequest) -> Exception:
    """Not carried out, and no answer."""
    return requests.ReadTimeout("No answer in time.")


def test_it_is_sent_again_after_two_reads_a_minute_apart_that_show_the_old_end(
    failed: Job, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    zencoder.faults["resubmit"] = lose
    action = ask(failed)
    run_due(clock, 60)
    assert (attempts(failed)[1], zencoder.asked["resubmit"]) == ((2, "submitting", True), 1)
    run_due(clock, 30)
    assert (attempts(failed)[1], zencoder.asked["resubmit"]) == ((2, "submitting", True), 2)
    run_due(clock, 180)
    action.refresh_from_db()
    assert attempts(failed) == [(1, "failed", True), (2, "failed", False)]
    assert action.job.error_message == "Not confirmed by the provider"
    assert (zencoder.asked["resubmit"], action.state) == (3, ActionState.REFUSED)


def test_a_second_call_that_is_refused_since_the_first_was_late_ends_in_what_runs(
    failed: Job, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    zencoder.faults["resubmit"] = lose
    action = ask(failed)
    run_due(clock, 60)
    zencoder.faults["resubmit"] = failing(409)
    run_due(clock, 30)
    assert zencoder.asked["resubmit"] == 2
    zencoder.move(72, "processing")
    run_due(clock, 30)
    action.refresh_from_db()
    assert attempts(failed) == [(1, "failed", False), (2, "running", True)]
    assert (zencoder.asked["resubmit"], action.state) == (2, ActionState.DONE)


def test_reads_that_fail_prove_nothing(
    failed: Job, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    zencoder.faults["resubmit"] = lose
    zencoder.faults["details"] = failing(503)
    ask(failed)
    run_due(clock, 3600)
    assert attempts(failed)[1] == (2, "submitting", True)
    zencoder.faults.clear()
    zencoder.move(72, "processing")
    run_due(clock, 1200)
    assert (attempts(failed)[1], zencoder.asked["resubmit"]) == ((2, "running", True), 1)


@pytest.mark.parametrize(("was_sent", "calls"), [(True, 1), (False, 2)])
def test_after_a_worker_died_while_sending_the_job_runs_again_once(
    failed: Job, zencoder: FakeZencoder, clock: time_machine.Traveller, was_sent: bool, calls: int
) -> None:
    def die(request: requests.PreparedRequest) -> None:
        zencoder.faults.clear()
        raise KeyboardInterrupt

    zencoder.faults["resubmit"] = die
    action = ask(failed)
    with pytest.raises(KeyboardInterrupt):
        run_action(action.pk)
    JobAction.objects.update(leased_until=timezone.now() + CALL_LEASE)  # nobody released it
    clock.shift(CALL_LEASE + timedelta(seconds=1))
    if was_sent:
        zencoder.move(72, "waiting")
    run_due(clock, 90)
    assert attempts(failed)[1] == (2, "queued", True)
    assert zencoder.asked["resubmit"] == calls


def test_what_did_not_leave_is_sent_again_and_given_up_in_the_end(
    failed: Job, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    zencoder.faults["resubmit"] = unreachable
    ask(failed)
    run_due(clock, 600)
    assert zencoder.asked["resubmit"] == 6
    assert attempts(failed) == [(1, "failed", True), (2, "failed", False)]


def test_a_job_that_runs_again_is_not_resubmitted_once_more(
    failed: Job, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    attempt = ask(failed).job
    for allow_duplicate in (False, True):
        with pytest.raises(RetryUnfinished) as caught:
            request_resubmit(failed, allow_duplicate=allow_duplicate)
        assert caught.value.job == attempt
    assert JobAction.objects.count() == 1
