"""In which order jobs are sent, and that an account never has more unfinished ones than it may."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest
import requests
import time_machine
from celery import current_app
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from jobs import tasks
from jobs.actions.cancellation import request_cancel
from jobs.actions.resubmission import request_resubmit
from jobs.actions.worker import run_action
from jobs.models import Job, JobAction, ProviderAccount, Submission
from jobs.submission.service import submit
from jobs.submission.waiting import describe_waiting, raise_precedence
from jobs.submission.worker import run_submission
from jobs.workqueue.dispatch import MESSAGE_TIMEOUT
from organizations.models import Organization
from providers.core.types import JobRequest, Rendition
from tests.jobs.factories import NOON, make_account, make_job
from tests.jobs.fake_zencoder import FakeZencoder
from tests.threads import together

pytestmark = pytest.mark.django_db

Tick = Callable[[], list[int]]


@pytest.fixture
def tick(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> Tick:
    """The jobs whose submissions one dispatch sends messages for, in order."""
    sent: list[int] = []

    def publish(name: str, args: tuple[int], **options: object) -> None:
        if name == "jobs.tasks.run_submission":
            sent.append(args[0])

    monkeypatch.setattr(current_app, "send_task", publish)

    def run() -> list[int]:
        sent.clear()
        with django_capture_on_commit_callbacks(execute=True):
            tasks.tick()
        return list(sent)

    return run


@pytest.fixture
def full(account: ProviderAccount, zencoder: FakeZencoder) -> list[Job]:
    """Two jobs run at an account that may have two."""
    jobs = [send(account), send(account)]
    for job in jobs:
        run_submission(job.pk)
    allow(account, 2)
    return jobs


def send(account: ProviderAccount, priority: int | None = None, *, is_bulk: bool = False) -> Job:
    request = JobRequest("s3://a/b.mov", renditions=(Rendition("mp4", (360,)),), priority=priority)
    return submit(
        organization=account.organization,
        account=account,
        request=request,
        allow_duplicate=True,
        is_bulk=is_bulk,
    ).job


def allow(account: ProviderAccount, jobs: int) -> None:
    account.options = account.options | {"max_unfinished_jobs": str(jobs)}
    account.save(update_fields=["options"])


def finish(job: Job) -> None:
    Job.objects.filter(pk=job.pk).update(status="succeeded")


def test_the_urgent_come_first_then_peoples_own_then_what_came_first(
    account: ProviderAccount, tick: Tick
) -> None:
    bulk = [send(account, is_bulk=True) for _ in range(40)]
    later, own, urgent = send(account, -1), send(account), send(account, 50, is_bulk=True)
    order = [urgent.pk, own.pk, *(job.pk for job in bulk)]
    first = tick()
    assert first == order[: len(first)]
    assert len(first) > 3
    with time_machine.travel(timezone.now() + MESSAGE_TIMEOUT):
        Submission.objects.exclude(pk__in=[bulk[-1].pk, later.pk]).update(state="done")
        assert tick() == [bulk[-1].pk, later.pk]


def test_what_is_urgent_at_one_account_holds_up_no_other(
    organization: Organization, account: ProviderAccount, tick: Tick
) -> None:
    for _ in range(40):
        send(account, 100)
    other = send(make_account(organization, name="other"))
    assert other.pk in tick()[:2]


def test_no_more_are_sent_than_the_account_may_have(
    account: ProviderAccount, zencoder: FakeZencoder, full: list[Job], tick: Tick
) -> None:
    waiting = [send(account, is_bulk=True) for _ in range(3)]
    urgent = send(account, 1)
    assert tick() == []
    for job in (*waiting, urgent):
        run_submission(job.pk)
    assert zencoder.asked["create"] == 2
    finish(full[0])
    # a message of another one changes nothing about whose turn it is
    run_submission(waiting[0].pk)
    assert zencoder.asked["create"] == 2
    assert tick() == [urgent.pk]
    run_submission(urgent.pk)
    assert zencoder.asked["create"] == 3
    assert tick() == []


def test_another_account_without_a_cap_is_not_limited(
    organization: Organization, zencoder: FakeZencoder, full: list[Job], tick: Tick
) -> None:
    other = make_account(organization, name="other")
    jobs = [send(other) for _ in range(3)]
    assert tick() == [job.pk for job in jobs]
    for job in jobs:
        run_submission(job.pk)
    assert zencoder.asked["create"] == 5


def test_what_others_submitted_and_what_has_ended_does_not_count(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    allow(account, 1)
    make_job(account, remote_id="71", status="running")
    ended = send(account)
    run_submission(ended.pk)
    Job.objects.filter(pk=ended.pk).update(gone_at=NOON)
    run_submission(send(account).pk)
    assert zencoder.asked["create"] == 2


class Killed(BaseException):
    pass


def kill(request: requests.PreparedRequest) -> None:
    raise Killed


def test_one_whose_worker_was_killed_while_it_was_sent_counts(
    account: ProviderAccount, zencoder: FakeZencoder, tick: Tick
) -> None:
    allow(account, 1)
    killed, waiting = send(account), send(account)
    zencoder.faults["create"] = kill
    with pytest.raises(Killed):
        run_submission(killed.pk)
    zencoder.faults.clear()
    assert Submission.objects.get(pk=killed.pk).state == "sending"
    # it is searched for, and nothing else is sent
    assert tick() == [killed.pk]
    run_submission(waiting.pk)
    Submission.objects.filter(pk=killed.pk).update(state="unconfirmed")
    run_submission(waiting.pk)
    assert zencoder.asked["create"] == 1
    Submission.objects.filter(pk=killed.pk).update(state="refused")
    run_submission(waiting.pk)
    assert zencoder.asked["create"] == 2


def test_a_native_retry_waits_for_a_place_too_and_then_takes_one(
    account: ProviderAccount, zencoder: FakeZencoder, full: list[Job]
) -> None:
    zencoder.add(71, "failed")
    failed = make_job(account, remote_id="71", status="failed")
    attempt = request_resubmit(failed).job
    action = JobAction.objects.get()
    run_action(action.pk)
    assert zencoder.asked["resubmit"] == 0
    assert JobAction.objects.get().failures == 0
    assert "2 of 2 jobs" in str(describe_waiting(attempt, timezone.now()))
    finish(full[0])
    later = send(account)
    run_submission(later.pk)  # the retry was first
    run_action(action.pk)
    run_submission(later.pk)  # and has the place
    assert (zencoder.asked["resubmit"], zencoder.asked["create"]) == (1, 2)


def test_one_that_waits_here_is_cancelled_without_a_call(
    account: ProviderAccount, zencoder: FakeZencoder, full: list[Job], tick: Tick
) -> None:
    waiting = send(account)
    run_submission(waiting.pk)
    before = zencoder.asked.copy()
    request_cancel(waiting)
    waiting.refresh_from_db()
    assert waiting.status == "cancelled"
    finish(full[0])
    assert tick() == []
    assert zencoder.asked == before


def test_it_says_how_many_run_and_which_number_it_is(
    account: ProviderAccount, zencoder: FakeZencoder, full: list[Job]
) -> None:
    jobs = [send(account, is_bulk=True), send(account)]
    texts = [str(describe_waiting(job, timezone.now())) for job in jobs]
    assert texts == [
        f"Waiting here: 2 of 2 jobs are running at this account. Number {number} in the queue."
        for number in (2, 1)
    ]
    assert describe_waiting(full[0], timezone.now()) is None
    finish(full[0])
    assert describe_waiting(jobs[0], timezone.now()) is None


def test_nothing_waits_forever_behind_what_comes_later(account: ProviderAccount) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        old, own = send(account, is_bulk=True), send(account, -5)
        clock.shift(timedelta(days=1, hours=1))
        new = send(account)
        for _ in range(2):
            raise_precedence(timezone.now())
    ranks = dict(Submission.objects.values_list("pk", "precedence"))
    assert ranks == {old.pk: 20, own.pk: 11, new.pk: 1}


@pytest.mark.django_db(transaction=True)
def test_of_workers_that_send_at_the_same_moment_no_more_have_a_place(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    allow(account, 2)
    jobs = [send(account) for _ in range(6)]
    together(*(partial(run_submission, job.pk) for job in jobs))
    assert zencoder.asked["create"] <= 2
    for job in jobs:
        run_submission(job.pk)
    assert zencoder.asked["create"] == 2
