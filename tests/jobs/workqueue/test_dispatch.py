"""Each due row is dispatched once at a time, and a lost message only costs its timeout."""

from collections.abc import Callable, Iterator

import pytest
import time_machine
from celery import current_app
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks

from jobs import tasks
from jobs.actions.cancellation import request_cancel
from jobs.models import Job, JobAction, ProviderAccount, Submission, WebhookDelivery
from jobs.submission.service import submit
from jobs.workqueue import dispatch
from providers.core.types import JobRequest, Rendition
from tests.jobs.factories import NOON, make_delivery, make_job
from tests.jobs.fake_zencoder import FakeZencoder, failing

pytestmark = pytest.mark.django_db

Message = tuple[str, tuple[int | str, ...]]
Tick = Callable[[], list[Message]]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def tick(
    clock: time_machine.Traveller,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    monkeypatch: pytest.MonkeyPatch,
) -> Tick:
    """What one dispatch publishes but for passes."""
    sent: list[Message] = []

    def publish(name: str, args: tuple[int | str, ...], **options: object) -> None:
        sent.append((name, args))

    monkeypatch.setattr(current_app, "send_task", publish)

    def run() -> list[Message]:
        sent.clear()
        with django_capture_on_commit_callbacks(execute=True):
            tasks.tick()
        return [message for message in sent if message[0] != "jobs.tasks.sync_account"]

    return run


def deliver(message: Message) -> None:
    name, args = message
    current_app.tasks[name](*args)


@pytest.fixture
def due(account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller) -> Job:
    """A submission, a cancel and a delivery wait; the submission's job."""
    zencoder.add(71, "processing")
    zencoder.add(72, "processing")
    request_cancel(make_job(account, remote_id="71", status="running"))
    make_delivery(account, handled_at=None, remote_id="72")
    request = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))
    return submit(organization=account.organization, account=account, request=request).job


def test_what_was_dispatched_is_not_dispatched_again_before_its_message_times_out(
    due: Job, tick: Tick, clock: time_machine.Traveller
) -> None:
    names = ["run_submission", "run_action", "handle_delivery"]
    assert [name for name, _ in tick()] == [f"jobs.tasks.{name}" for name in names]
    for _ in range(5):
        clock.shift(5)
        assert tick() == []
    clock.shift(5)
    assert len(tick()) == 3


def test_a_message_of_the_tick_does_the_work_at_once(
    due: Job, tick: Tick, zencoder: FakeZencoder
) -> None:
    for message in tick():
        deliver(message)
    assert zencoder.asked["create"] == zencoder.asked["cancel"] == 1
    assert not Submission.objects.exclude(state="done").exists()
    assert not JobAction.objects.exclude(state="done").exists()
    assert WebhookDelivery.objects.get().handled_at
    assert tick() == []


def test_a_second_message_does_nothing(due: Job, tick: Tick, zencoder: FakeZencoder) -> None:
    messages = tick()
    for message in [*messages, *messages]:
        deliver(message)
    assert zencoder.asked["create"] == zencoder.asked["cancel"] == 1


def test_a_message_that_comes_late_brings_nothing_forward(
    due: Job, tick: Tick, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    """Its row was done by another message meanwhile, which failed and put it off."""
    late = tick()
    clock.shift(dispatch.MESSAGE_TIMEOUT)
    zencoder.faults |= dict.fromkeys(("create", "cancel", "details 72"), failing(429))
    for message in tick():
        deliver(message)
    before = zencoder.asked.copy()
    for message in late:
        deliver(message)
    assert zencoder.asked == before


def test_the_first_message_works_without_a_tick_and_after_one(
    due: Job, tick: Tick, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    tasks.run_submission(due.pk)
    assert zencoder.asked["create"] == 1
    action = JobAction.objects.get()
    of_the_tick = [message for message in tick() if message[0].endswith("run_action")]
    tasks.run_action(action.pk)  # the first message, slower than the tick
    assert zencoder.asked["cancel"] == 1
    deliver(of_the_tick[0])
    assert zencoder.asked["cancel"] == 1


def test_what_is_leased_or_not_due_any_more_is_left_alone(
    due: Job, tick: Tick, account: ProviderAccount
) -> None:
    later = timezone.now() + dispatch.MESSAGE_TIMEOUT
    Submission.objects.update(leased_until=later)
    JobAction.objects.update(leased_until=later)
    WebhookDelivery.objects.update(next_at=later)
    assert tick() == []
    assert Submission.objects.get().dispatched_until is None
