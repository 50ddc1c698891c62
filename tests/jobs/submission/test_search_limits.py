"""The search ends: where it fails, or a wrong id is returned, a person decides."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
import time_machine
from django.utils import timezone

from jobs.models import Job, ProviderAccount, Submission, SubmissionState
from jobs.submission.outcome import SEARCH_LIMIT
from jobs.submission.resolution import bind_found_job
from jobs.submission.service import submit
from jobs.submission.worker import run_submission
from organizations.models import Organization
from providers.core import registry
from providers.core.status import JobStatus
from providers.core.types import JobRequest, RemoteJob, Rendition
from providers.zencoder.adapter import Zencoder
from tests.jobs.answers import apply, reported
from tests.jobs.factories import NOON, make_account
from tests.jobs.fake_zencoder import Answer, FakeZencoder, _json, failing

pytestmark = [pytest.mark.django_db, pytest.mark.any_database, pytest.mark.integration]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


def send(account: ProviderAccount) -> Job:
    return submit(
        organization=account.organization,
        account=account,
        request=JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),)),
        allow_duplicate=True,
    ).job


def run_until(clock: time_machine.Traveller, end: timedelta) -> None:
    """Do what is due, each minute, until `end` after noon."""
    while timezone.now() <= NOON + end:
        for pk in Submission.objects.due(timezone.now()).values_list("pk", flat=True):
            run_submission(pk)
        clock.shift(60)


@pytest.mark.parametrize("status", [401, 403, 429, 500])
def test_a_search_that_keeps_failing_is_left_to_a_person_in_the_end(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller, status: int
) -> None:
    zencoder.loses_answers_of.add("create")
    zencoder.faults["list"] = failing(status)
    job = send(account)
    run_until(clock, SEARCH_LIMIT / 2)
    assert Submission.objects.get().state == SubmissionState.VERIFYING
    run_until(clock, 2 * SEARCH_LIMIT)
    submission = Submission.objects.get()
    assert submission.state == SubmissionState.UNCONFIRMED
    assert "may or may not have accepted" in submission.note
    assert "could not be searched" in submission.note
    assert job.events.filter(message__contains="could not be searched").count() == 1
    assert zencoder.asked["create"] == 1
    bind_found_job(job, "501")
    assert Submission.objects.get().state == SubmissionState.DONE


def test_it_is_searched_for_once_more_however_long_the_account_was_paused(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    zencoder.loses_answers_of.add("create")
    job = send(account)
    run_submission(job.pk)
    clock.shift(SEARCH_LIMIT * 10)
    run_submission(job.pk)
    assert Submission.objects.get().state == SubmissionState.DONE


def test_what_has_not_left_waits_for_as_long_as_it_takes(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    zencoder.faults["create"] = failing(429)
    send(account)
    run_until(clock, 2 * SEARCH_LIMIT)
    assert Submission.objects.get().state == SubmissionState.DUE


def test_a_fault_of_our_own_is_raised_and_tried_again_later(
    account: ProviderAccount, zencoder: FakeZencoder, clock: time_machine.Traveller
) -> None:
    job = send(account)
    Submission.objects.update(state=SubmissionState.VERIFYING, request={"unheard": "of"})
    with pytest.raises(TypeError):
        run_submission(job.pk)
    submission = Submission.objects.get()
    assert (submission.failures, submission.leased_until) == (1, None)
    assert submission.next_at > timezone.now()
    assert "Internal error" in submission.note


def five_hundred_and_one(request: requests.PreparedRequest) -> Answer:
    return _json(201, {"id": 501, "outputs": []})


def test_an_answer_with_the_id_of_anothers_job_is_given_to_a_person(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    first, second = send(account), send(account)
    run_submission(first.pk)
    zencoder.move(501, "finished")
    apply(account, reported("501", finished_at=None), at=0)
    first.refresh_from_db()
    held = first.version, first.status
    zencoder.faults["create"] = five_hundred_and_one
    run_submission(second.pk)
    submission = Submission.objects.get(pk=second.pk)
    assert submission.state == SubmissionState.UNCONFIRMED
    assert f"job {first.pk}" in submission.note
    first.refresh_from_db()
    assert (first.remote_id, (first.version, first.status)) == ("501", held)


@pytest.mark.database
@pytest.mark.parametrize(("remote_id", "held"), [("9" * 300, "9" * 200), ("a\x00b", r"a\u0000b")])
def test_an_answer_with_an_id_that_no_column_holds_is_taken_with_the_id_spelled_out(
    organization: Organization,
    zencoder: FakeZencoder,
    monkeypatch: pytest.MonkeyPatch,
    remote_id: str,
    held: str,
) -> None:
    class Odd(Zencoder):
        slug = "odd"

        def submit(self, request: JobRequest, key: str) -> RemoteJob:
            return RemoteJob(remote_id, JobStatus.QUEUED)

    monkeypatch.setitem(registry._PROVIDERS, "odd", Odd)
    job = send(make_account(organization, provider="odd"))
    run_submission(job.pk)
    job.refresh_from_db()
    assert (job.remote_id or "").startswith(held)
    assert job.status == "queued"
    assert Submission.objects.get().state == SubmissionState.DONE


def test_a_person_may_name_the_id_that_the_list_has_brought_by_then(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    job = send(account)
    Submission.objects.update(state=SubmissionState.UNCONFIRMED)
    apply(account, reported("640", key=Submission.objects.get().key))
    zencoder.add(640, "processing")
    bind_found_job(job, "640")
    assert Submission.objects.get().state == SubmissionState.DONE
