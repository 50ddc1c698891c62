"""Two at one submission: a worker that was stopped past its lease, and equal requests at once."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from jobs.models import Job, ProviderAccount, Submission, SubmissionState
from jobs.submission.duplicates import DuplicateJob
from jobs.submission.idempotency import caller_key
from jobs.submission.service import submit
from jobs.submission.worker import run_submission
from jobs.workqueue import leases
from jobs.workqueue.leases import CALL_LEASE
from organizations.models import Organization
from providers.core import registry
from providers.core.errors import Rejected, Unreachable
from providers.core.issues import RequestIssue
from providers.core.types import JobRequest, RemoteJob, Rendition
from providers.zencoder.adapter import Zencoder
from tests.jobs.factories import NOON, make_account
from tests.jobs.fake_zencoder import FakeZencoder
from tests.threads import together
from tests.waiting import PATIENCE_S

PAST_THE_LEASE = CALL_LEASE + timedelta(seconds=1)

REQUEST = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))


class Stopping(Zencoder):
    """Pauses once, at the moment that a test names, while `meanwhile` happens."""

    slug = "stopping"
    label = "Stopping"
    stops = ""
    wakes_with: Exception | None = None

    @staticmethod
    def meanwhile() -> None:
        """What other workers do."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.pause("before the claim's next step")

    def submit(self, request: JobRequest, key: str) -> RemoteJob:
        if self.pause("before the request") and self.wakes_with:
            raise self.wakes_with
        return super().submit(request, key)

    @classmethod
    def pause(cls, moment: str) -> bool:
        if cls.stops != moment:
            return False
        cls.stops = ""
        cls.meanwhile()
        return True


Stop = Callable[..., None]


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Stop:
    def plan(moment: str, meanwhile: Callable[[], None], error: Exception | None = None) -> None:
        monkeypatch.setattr(Stopping, "stops", moment)
        monkeypatch.setattr(Stopping, "meanwhile", staticmethod(meanwhile))
        monkeypatch.setattr(Stopping, "wakes_with", error)

    return plan


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def job(
    organization: Organization, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> Job:
    monkeypatch.setitem(registry._PROVIDERS, "stopping", Stopping)
    account = make_account(organization, name="main", provider="stopping")
    return submit(organization=organization, account=account, request=REQUEST).job


@pytest.mark.django_db
def test_a_worker_that_outlived_its_lease_sends_nothing_anew(
    job: Job, zencoder: FakeZencoder, clock: time_machine.Traveller, stop: Stop
) -> None:
    def another_sends_it() -> None:
        clock.shift(PAST_THE_LEASE)
        run_submission(job.pk)

    stop("before the claim's next step", another_sends_it)
    run_submission(job.pk)
    assert (zencoder.asked["create"], Job.objects.count()) == (1, 1)
    assert Submission.objects.get().state == SubmissionState.DONE


@pytest.mark.django_db
def test_a_worker_that_outlived_its_lease_does_not_end_anothers(
    job: Job, zencoder: FakeZencoder, clock: time_machine.Traveller, stop: Stop
) -> None:
    def another_claims_it() -> None:
        clock.shift(PAST_THE_LEASE)
        assert leases.take(Submission.objects.due(timezone.now()), job.pk, CALL_LEASE)

    stop("before the claim's next step", another_claims_it)
    run_submission(job.pk)
    submission = Submission.objects.get()
    assert zencoder.asked["create"] == 0
    assert submission.leased_until == NOON + PAST_THE_LEASE + CALL_LEASE
    assert submission.state == SubmissionState.DUE


@pytest.mark.django_db
@pytest.mark.parametrize("error", [Unreachable("No connection."), Rejected("Not like this.")])
def test_a_late_end_does_not_undo_what_another_worker_is_at(
    job: Job,
    zencoder: FakeZencoder,
    clock: time_machine.Traveller,
    stop: Stop,
    error: Exception,
) -> None:
    def another_finds_nothing_sends_it_and_gets_no_answer() -> None:
        zencoder.loses_answers_of.add("create")
        clock.shift(PAST_THE_LEASE)
        while zencoder.asked["create"] == 0:
            run_submission(job.pk)
            clock.shift(60)
        assert leases.take(Submission.objects.all(), job.pk, CALL_LEASE)

    stop("before the request", another_finds_nothing_sends_it_and_gets_no_answer, error)
    run_submission(job.pk)
    assert Submission.objects.get().state == SubmissionState.VERIFYING
    clock.shift(PAST_THE_LEASE)
    run_submission(job.pk)
    job.refresh_from_db()
    assert (job.status, Submission.objects.get().state) == ("queued", SubmissionState.DONE)
    assert zencoder.asked["create"] == 1


@pytest.mark.django_db
def test_an_answer_is_kept_however_late_it_comes(
    job: Job, zencoder: FakeZencoder, clock: time_machine.Traveller, stop: Stop
) -> None:
    def a_person_is_asked() -> None:
        clock.shift(PAST_THE_LEASE)
        Submission.objects.update(state=SubmissionState.UNCONFIRMED, lease=None)

    stop("before the request", a_person_is_asked)
    run_submission(job.pk)
    job.refresh_from_db()
    assert (job.remote_id, Submission.objects.get().state) == ("501", SubmissionState.DONE)


class Checking(Zencoder):
    """Answers no check before all of them were asked for."""

    slug = "checking"
    label = "Checking"
    barrier = Barrier(4)

    def check_request(self, request: JobRequest) -> list[RequestIssue]:
        self.barrier.wait(PATIENCE_S)
        return super().check_request(request)


@pytest.fixture
def checking(organization: Organization, monkeypatch: pytest.MonkeyPatch) -> ProviderAccount:
    monkeypatch.setitem(registry._PROVIDERS, "checking", Checking)
    return make_account(organization, name="main", provider="checking")


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("idempotency_key", "refused"), [("", 3), ("double-click", 0)])
def test_of_equal_requests_at_once_one_is_taken(
    checking: ProviderAccount, idempotency_key: str, refused: int
) -> None:
    made: list[int] = []
    duplicates: list[int] = []

    def send() -> None:
        try:
            submitted = submit(
                organization=checking.organization,
                account=checking,
                request=REQUEST,
                key=caller_key(idempotency_key, "submit", {}) if idempotency_key else None,
            )
            made.append(submitted.job.pk)
        except DuplicateJob as duplicate:
            duplicates.append(duplicate.job.pk)

    together(*[send] * 4)
    job = Job.objects.get()
    assert set(made + duplicates) == {job.pk}
    assert len(duplicates) == refused
