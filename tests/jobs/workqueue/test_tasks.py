"""Ticks dispatch what is due, once at a time, even where a message was lost."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from celery import current_app
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from jobs import tasks
from jobs.actions.cancellation import request_cancel
from jobs.models import Job, JobAction, ProviderAccount, Submission, WebhookDelivery
from jobs.models.account import LEASE
from jobs.submission.service import submit
from jobs.sync import lease
from jobs.workqueue import dispatch, leases
from jobs.workqueue.enqueue import EXPIRES_S
from providers.core.types import JobRequest, Rendition
from providers.zencoder.adapter import Zencoder
from tests.jobs.factories import NOON, make_account, make_job
from tests.jobs.fake_zencoder import FakeZencoder

pytestmark = pytest.mark.django_db

Collect = Callable[[Callable[[], Any]], list[tuple[str, int]]]


@pytest.fixture
def published(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> Collect:
    """What a call publishes: the task's last name and its id."""
    sent: list[tuple[str, int]] = []

    def publish(name: str, args: tuple[Any, ...], **options: Any) -> None:
        assert options == {"expires": EXPIRES_S}
        sent.append((name.removeprefix("jobs.tasks."), args[0]))

    monkeypatch.setattr(current_app, "send_task", publish)

    def collect(call: Callable[[], Any]) -> list[tuple[str, int]]:
        sent.clear()
        with django_capture_on_commit_callbacks(execute=True):
            call()
        return list(sent)

    return collect


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def test_a_tick_dispatches_each_due_account_once(
    account: ProviderAccount, published: Collect, clock: time_machine.Traveller
) -> None:
    second = make_account(account.organization, next_sync_at=NOON - timedelta(seconds=9))
    ProviderAccount.objects.filter(pk=account.pk).update(next_sync_at=NOON)
    make_account(account.organization, next_sync_at=NOON + timedelta(seconds=1))
    make_account(account.organization, next_sync_at=NOON, enabled=False)
    make_account(account.organization, next_sync_at=NOON, refused_at=NOON)
    held = make_account(account.organization, next_sync_at=NOON)
    assert leases.take(ProviderAccount.objects.all(), held.pk, LEASE)
    assert published(tasks.tick) == [("sync_account", second.pk), ("sync_account", account.pk)]
    assert published(tasks.tick) == []


def test_an_account_whose_message_was_lost_is_dispatched_again(
    account: ProviderAccount, published: Collect, clock: time_machine.Traveller
) -> None:
    ProviderAccount.objects.update(next_sync_at=NOON)
    assert len(published(tasks.tick)) == 1
    clock.shift(dispatch.MESSAGE_TIMEOUT)
    assert len(published(tasks.tick)) == 1


def test_a_tick_dispatches_all_that_is_due(account: ProviderAccount, published: Collect) -> None:
    job = submit(
        organization=account.organization,
        account=account,
        request=JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),)),
    ).job
    action = request_cancel(make_job(account, status="running"))
    now = timezone.now()
    due, *_ = (
        WebhookDelivery.objects.create(
            account=account,
            received_at=now,
            next_at=next_at,
            handled_at=handled_at,
            verdict="accepted",
            remote_id="71",
        )
        for next_at, handled_at in (
            (now, None),
            (now, now),
            (now + timedelta(seconds=30), None),
        )
    )
    expected = [
        ("run_submission", job.pk),
        ("run_action", action.pk),
        ("handle_delivery", due.pk),
        ("sync_account", account.pk),
    ]
    assert published(tasks.tick) == expected
    assert published(tasks.tick) == []  # each is left to its message
    later = now + timedelta(minutes=1)
    Submission.objects.update(next_at=now, leased_until=later)
    JobAction.objects.update(next_at=now, leased_until=later)
    WebhookDelivery.objects.update(next_at=now)
    ProviderAccount.objects.update(enabled=False)
    assert published(tasks.tick) == []


def test_the_nightly_comparison_goes_on_after_an_account_that_fails(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    published: Collect,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def breaks(*args: object) -> None:
        raise RuntimeError("An internal error.")

    monkeypatch.setattr(Zencoder, "list_jobs", breaks)

    def reconcile() -> None:
        with pytest.raises(RuntimeError):
            tasks.reconcile()

    assert published(reconcile) == [("reconcile", account.pk)]


@pytest.mark.parametrize("is_redelivered", [False, True])
def test_the_nightly_comparison_passes_by_an_account_that_is_held(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    published: Collect,
    monkeypatch: pytest.MonkeyPatch,
    *,
    is_redelivered: bool,
) -> None:
    """Unless the message came twice: then its first run has the account and enqueues the next."""
    monkeypatch.setattr(lease, "LEASE", timedelta(seconds=-5))  # what is waited for it
    ProviderAccount.objects.update(leased_until=timezone.now() + timedelta(days=1))
    tasks.reconcile.push_request(delivery_info={"redelivered": is_redelivered})
    try:
        messages = published(lambda: tasks.reconcile.run())
    finally:
        tasks.reconcile.pop_request()
    assert messages == ([] if is_redelivered else [("reconcile", account.pk)])
    assert zencoder.asked == {}


def test_submitting_enqueues_after_the_commit(account: ProviderAccount, published: Collect) -> None:
    request = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))
    messages = published(
        lambda: submit(organization=account.organization, account=account, request=request)
    )
    assert messages == [("run_submission", Job.objects.get().pk)]


def test_each_task_calls_its_one_function(account: ProviderAccount, zencoder: FakeZencoder) -> None:
    zencoder.add(71, "processing")
    tasks.sync_account(account.pk)
    job = Job.objects.get()
    action = request_cancel(job)
    tasks.run_action(action.pk)
    job.refresh_from_db()
    assert job.status == "cancelled"
    sent = submit(
        organization=account.organization,
        account=account,
        request=JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),)),
    ).job
    tasks.run_submission(sent.pk)
    sent.refresh_from_db()
    assert sent.remote_id


def test_a_task_about_what_is_no_longer_there_does_nothing(
    db: None, zencoder: FakeZencoder
) -> None:
    for task in (tasks.run_submission, tasks.run_action, tasks.handle_delivery, tasks.sync_account):
        task(10**9)
    assert zencoder.asked == {}


def test_the_tasks_go_by_the_names_that_beat_and_messages_use() -> None:
    for name in ("tick", "sync_account", "run_submission", "run_action", "handle_delivery"):
        assert f"jobs.tasks.{name}" in current_app.tasks
    scheduled = {entry["task"] for entry in current_app.conf.beat_schedule.values()}
    assert "jobs.tasks.tick" in scheduled
