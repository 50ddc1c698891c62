"""Cancelling and retrying: what is offered, refused with a reason, and carried out once."""

from typing import Any

import pytest
import time_machine

from jobs.actions.cancellation import request_cancel
from jobs.actions.offers import ActionRefused, available_actions
from jobs.actions.resubmission import request_resubmit
from jobs.actions.worker import run_action
from jobs.models import (
    ActionState,
    Job,
    JobAction,
    ProviderAccount,
    Submission,
    SubmissionState,
)
from jobs.submission.service import submit
from jobs.submission.worker import run_submission
from organizations.models import AuditEntry
from providers.core import registry
from providers.core.types import Capability, JobRequest, Rendition
from providers.zencoder.adapter import Zencoder
from tests.factories import make_user
from tests.jobs.factories import NOON, make_account, make_job, make_output
from tests.jobs.fake_zencoder import FakeZencoder, failing

pytestmark = pytest.mark.django_db


@pytest.fixture
def running(account: ProviderAccount, zencoder: FakeZencoder) -> Job:
    zencoder.add(71, "processing")
    return make_job(account, remote_id="71", status="running")


def offers(job: Job) -> dict[str, tuple[bool, str]]:
    return {action.name: (action.allowed, action.reason) for action in available_actions(job, [])}


def send(account: ProviderAccount) -> Job:
    request = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))
    return submit(organization=account.organization, account=account, request=request).job


def test_what_is_offered_follows_the_state(account: ProviderAccount) -> None:
    assert offers(make_job(account, status="running")) == {
        "cancel": (True, ""),
        "resubmit": (False, "It has not finished yet."),
    }
    allowed, reason = offers(make_job(account))["cancel"]
    assert (allowed, reason) == (False, "It has already ended: it is succeeded.")
    unknown = make_job(account, status="unknown")
    reason = "Zencoder cancels only jobs that are queued or running."
    assert offers(unknown)["cancel"] == (False, reason)
    gone = make_job(account, status="failed", gone_at=NOON)
    assert offers(gone)["resubmit"] == (False, "The provider no longer has it.")
    frozen = make_job(account, status="failed", is_newest=False)
    assert offers(frozen)["resubmit"] == (False, "A later attempt has replaced it.")


def test_a_cancel_is_carried_out_and_shows_at_once(running: Job, zencoder: FakeZencoder) -> None:
    user = make_user()
    action = request_cancel(running, user=user)
    assert request_cancel(running, user=user) == action
    for _ in range(2):
        run_action(action.pk)
    running.refresh_from_db()
    action.refresh_from_db()
    assert (running.status, action.state, zencoder.asked["cancel"]) == (
        "cancelled",
        ActionState.DONE,
        1,
    )
    assert running.events.get(to_status="cancelled").actor == user
    assert AuditEntry.objects.get().action == "job.cancel_requested"


def test_a_job_that_ended_meanwhile_refuses_and_shows_its_end(
    running: Job, zencoder: FakeZencoder
) -> None:
    action = request_cancel(running)
    zencoder.move(71, "finished")
    run_action(action.pk)
    running.refresh_from_db()
    action.refresh_from_db()
    assert (running.status, action.state) == ("succeeded", ActionState.REFUSED)
    assert "cannot be cancelled any more" in action.note
    assert running.events.filter(message__startswith="Cancel refused").exists()


def test_a_done_job_is_not_even_asked_for(account: ProviderAccount) -> None:
    with pytest.raises(ActionRefused, match="already ended"):
        request_cancel(make_job(account))
    assert not JobAction.objects.exists()


def test_a_cancel_whose_answer_was_lost_is_seen_to_be_done(
    running: Job, zencoder: FakeZencoder
) -> None:
    zencoder.loses_answers_of.add("cancel")
    with time_machine.travel(NOON, tick=False) as clock:
        action = request_cancel(running)
        run_action(action.pk)
        action.refresh_from_db()
        assert action.state == ActionState.DUE
        clock.shift(10)
        run_action(action.pk)
    running.refresh_from_db()
    action.refresh_from_db()
    assert (running.status, action.state) == ("cancelled", ActionState.DONE)
    assert zencoder.asked["cancel"] == 1
    assert not running.events.filter(message__contains="refused").exists()


def test_a_cancelled_job_that_the_provider_forgets_is_cancelled(
    running: Job, zencoder: FakeZencoder
) -> None:
    made = make_output(running)
    waiting = make_output(running, status="queued")
    action = request_cancel(running)
    zencoder.faults["details"] = failing(404)
    run_action(action.pk)
    running.refresh_from_db()
    assert (running.status, running.gone_at is not None) == ("cancelled", True)
    statuses = dict(running.outputs.values_list("pk", "status"))
    assert statuses == {made.pk: "succeeded", waiting.pk: "cancelled"}


@pytest.mark.parametrize("status", [500, 401, 422])
def test_a_cancel_is_done_whatever_the_reading_after_it_ends_in(
    running: Job, zencoder: FakeZencoder, status: int
) -> None:
    action = request_cancel(running)
    zencoder.faults["details"] = failing(status)
    run_action(action.pk)
    action.refresh_from_db()
    assert action.state == ActionState.DONE


def test_an_outage_is_waited_for_and_given_up_in_the_end(
    running: Job, zencoder: FakeZencoder
) -> None:
    zencoder.faults["cancel"] = failing(503)
    with time_machine.travel(NOON, tick=False) as clock:
        action = request_cancel(running)
        for _ in range(9):
            run_action(action.pk)
            clock.shift(400)
    action.refresh_from_db()
    assert (action.state, zencoder.asked["cancel"]) == (ActionState.REFUSED, 6)
    # before each try but the first, and not after the last: that is left to a pass
    assert zencoder.asked["details"] == 5


def test_without_a_native_way_it_is_a_new_linked_job(
    organization: Any, zencoder: FakeZencoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Plain(Zencoder):
        slug = "plain"
        capabilities = Zencoder.capabilities - {Capability.RESUBMIT}

    monkeypatch.setitem(registry._PROVIDERS, "plain", Plain)
    account = make_account(organization, name="main", provider="plain")
    job = send(account)
    run_submission(job.pk)
    Job.objects.update(status="failed", error_class="unknown")
    job.refresh_from_db()
    again = request_resubmit(job, user=make_user()).job
    assert (again.status, again.retry_of, again.pk != job.pk) == ("submitting", job, True)
    foreign = make_job(account, status="failed")
    with pytest.raises(ActionRefused, match="not submitted with Reelboard"):
        request_resubmit(foreign)


def test_a_submission_that_has_not_left_is_cancelled_here(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    job = send(account)
    assert request_cancel(job, user=make_user()).state == ActionState.DONE
    run_submission(job.pk)
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert zencoder.asked == {}


@pytest.mark.parametrize(
    "claimed",
    [
        {"leased_until": NOON},
        {"state": SubmissionState.SENDING},
        {"state": SubmissionState.VERIFYING},
    ],
)
def test_a_submission_on_its_way_is_not_cancelled_here(
    account: ProviderAccount, claimed: dict[str, Any]
) -> None:
    job = send(account)
    Submission.objects.update(**claimed)
    with pytest.raises(ActionRefused, match="being sent"):
        request_cancel(job)
    job.refresh_from_db()
    assert job.status == "submitting"


def test_a_paused_account_holds_what_was_asked_for(running: Job, zencoder: FakeZencoder) -> None:
    action = request_cancel(running)
    ProviderAccount.objects.update(enabled=False)
    run_action(action.pk)
    assert zencoder.asked == {}
    ProviderAccount.objects.update(enabled=True)
    run_action(action.pk)
    assert zencoder.asked["cancel"] == 1
