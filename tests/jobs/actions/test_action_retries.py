"""What only delays an action, what ends it, and a worker that was stopped past its lease."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, ClassVar

import pytest
import requests
import time_machine
from django.utils import timezone

from jobs.actions.cancellation import request_cancel
from jobs.actions.offers import ActionRefused
from jobs.actions.resubmission import request_resubmit
from jobs.actions.worker import run_action
from jobs.models import ActionState, Job, JobAction, ProviderAccount
from jobs.submission.service import submit
from jobs.submission.worker import run_submission
from jobs.workqueue import leases
from jobs.workqueue.leases import CALL_LEASE
from organizations.models import Organization
from providers.core import registry
from providers.core.types import Capability, JobRequest, Rendition
from providers.zencoder.adapter import Zencoder
from tests.jobs.factories import NOON, make_account, make_job
from tests.jobs.fake_zencoder import Answer, FakeZencoder, failing

pytestmark = pytest.mark.django_db


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def running(account: ProviderAccount, zencoder: FakeZencoder, number: int = 71) -> Job:
    zencoder.add(number, "processing")
    return make_job(account, remote_id=str(number), status="running")


def run_until(clock: time_machine.Traveller, end: timedelta) -> None:
    """Do what is due, every five seconds, until `end` after noon."""
    while timezone.now() <= NOON + end:
        for pk in JobAction.objects.due(timezone.now()).values_list("pk", flat=True):
            run_action(pk)
        clock.shift(5)


def test_many_cancels_wait_for_the_budget_and_none_is_given_up(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    account.options = {"requests_per_minute": "2"}
    account.save()
    for number in range(1, 13):
        request_cancel(running(account, zencoder, number))
    run_until(clock, timedelta(minutes=15))
    assert set(JobAction.objects.values_list("state", flat=True)) == {ActionState.DONE}
    assert zencoder.asked["cancel"] == 12


def test_a_providers_limit_is_waited_for_as_long_as_it_says(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    zencoder.faults["cancel"] = failing(429, Retry_After="90")
    action = request_cancel(running(account, zencoder))
    run_until(clock, timedelta(minutes=15))
    action.refresh_from_db()
    assert (action.state, action.failures) == (ActionState.DUE, 0)
    assert zencoder.asked["cancel"] == 11
    zencoder.faults.clear()
    run_until(clock, timedelta(minutes=17))
    action.refresh_from_db()
    assert action.state == ActionState.DONE
    assert zencoder.asked["details"] == 1  # only the reading after it: it was not tried before


def test_a_limit_does_not_hide_an_unclear_end_before_it(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    zencoder.loses_answers_of.add("cancel")
    action = request_cancel(running(account, zencoder))
    run_action(action.pk)
    zencoder.faults["details"] = failing(429)
    clock.shift(10)
    run_action(action.pk)
    zencoder.faults.clear()
    clock.shift(90)
    run_action(action.pk)
    action.refresh_from_db()
    assert (action.state, zencoder.asked["cancel"]) == (ActionState.DONE, 1)


def test_a_cancel_of_what_the_provider_no_longer_knows_does_not_count_as_cancelled(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    job = make_job(account, remote_id="999", status="running")
    zencoder.faults["cancel"] = failing(404)
    action = request_cancel(job)
    run_action(action.pk)
    job.refresh_from_db()
    action.refresh_from_db()
    assert (job.status, job.gone_at is not None) == ("running", True)
    assert action.state == ActionState.REFUSED
    assert not job.events.filter(to_status="cancelled").exists()


class Plain(Zencoder):
    """Runs nothing again under its own id."""

    slug = "plain"
    label = "Plain"
    capabilities: ClassVar[Any] = Zencoder.capabilities - {Capability.RESUBMIT}


def test_a_request_that_no_key_opens_is_refused_with_a_reason(
    organization: Organization,
    zencoder: FakeZencoder,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(registry._PROVIDERS, "plain", Plain)
    account = make_account(organization, name="main", provider="plain")
    request = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))
    job = submit(organization=organization, account=account, request=request).job
    run_submission(job.pk)
    Job.objects.update(status="failed", error_class="unknown")
    settings.CREDENTIALS_KEYS = ["another-key-of-at-least-thirty-two-characters"]
    with pytest.raises(ActionRefused, match="CREDENTIALS_KEYS"):
        request_resubmit(Job.objects.get(pk=job.pk))
    assert Job.objects.count() == 1


class Stopping(Zencoder):
    """Pauses once, before the first step after the lease was taken, while `meanwhile` happens."""

    slug = "stopping"
    label = "Stopping"
    meanwhile: ClassVar[list[Callable[[], None]]] = []

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        if self.meanwhile:
            self.meanwhile.pop()()


@pytest.fixture
def stopping(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> ProviderAccount:
    monkeypatch.setitem(registry._PROVIDERS, "stopping", Stopping)
    return make_account(organization, name="main", provider="stopping")


def test_a_worker_that_outlived_its_lease_runs_no_job_again(
    stopping: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    zencoder.add(72, "failed")
    at = NOON - timedelta(hours=5)
    lost = make_job(stopping, remote_id="72", status="failed", created_at=at)
    request_resubmit(lost)
    action = JobAction.objects.get()

    def another_has_it() -> None:
        clock.shift(CALL_LEASE + timedelta(seconds=1))
        due = JobAction.objects.due(timezone.now())
        assert leases.take(due, action.pk, CALL_LEASE, failures=2)

    Stopping.meanwhile.append(another_has_it)
    run_action(action.pk)
    action.refresh_from_db()
    assert zencoder.asked == {}
    assert action.leased_until == timezone.now() + CALL_LEASE
    assert (action.state, action.failures) == (ActionState.DUE, 2)


def test_a_late_refusal_does_not_undo_what_another_worker_did(
    stopping: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    action = request_cancel(running(stopping, zencoder))

    def refuse_late(request: requests.PreparedRequest) -> Answer | None:
        clock.shift(CALL_LEASE + timedelta(seconds=1))
        JobAction.objects.update(state=ActionState.DONE, lease=None)
        return failing(409)(request)

    zencoder.faults["cancel"] = refuse_late
    run_action(action.pk)
    action.refresh_from_db()
    assert (action.state, action.note) == (ActionState.DONE, "")


def test_a_fault_of_our_own_is_raised_and_given_up_in_the_end(
    stopping: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    action = request_cancel(running(stopping, zencoder))

    def break_down() -> None:
        raise LookupError("unheard of")

    faults = 0
    while action.state == ActionState.DUE and faults < 10:
        Stopping.meanwhile.append(break_down)
        with pytest.raises(LookupError):
            run_action(action.pk)
        faults += 1
        action.refresh_from_db()
        assert not JobAction.objects.due(timezone.now()).exists()
        clock.shift(400)
    assert (action.state, faults) == (ActionState.REFUSED, 6)
    assert "Internal error" in action.note
