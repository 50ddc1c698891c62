"""Submitting exactly once: what a provider's answer, its silence and our own ends lead to."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine
from django.utils import timezone

from jobs.models import (
    EventSource,
    Job,
    JobSecret,
    ProviderAccount,
    Submission,
    SubmissionState,
)
from jobs.submission.duplicates import DuplicateJob
from jobs.submission.service import submit
from jobs.submission.stored_request import find_sent_request
from jobs.submission.validation import SubmissionRefused, preview
from jobs.submission.worker import run_submission
from organizations.models import AuditEntry, Organization
from providers.core.types import JobRequest, Rendition, Thumbnails
from tests.factories import make_user
from tests.jobs.answers import apply, reported
from tests.jobs.factories import NOON, make_account
from tests.jobs.fake_zencoder import FakeZencoder, failing, unreachable

pytestmark = pytest.mark.django_db

REQUEST = JobRequest(
    input="https://user:word@rushes.example/harbour.mov?Signature=abcdef0123",
    destination="s3://site/harbour/",
    renditions=(Rendition("mp4", (240, 360)), Rendition("hls", (240,))),
    thumbnails=Thumbnails(count=3),
    metadata={"reel": 12},
)


def send(account: ProviderAccount, **options: Any) -> Job:
    given: dict[str, Any] = {"request": REQUEST} | options
    return submit(organization=account.organization, account=account, **given).job


def state(job: Job) -> Submission:
    job.refresh_from_db()
    return Submission.objects.get(pk=job.pk)


def test_the_row_is_there_before_anything_is_sent(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    user = make_user()
    job = send(account, user=user)
    assert (job.status, job.remote_id, job.name) == ("submitting", None, "harbour.mov")
    assert (job.submitted_by, job.metadata) == (user, {"reel": 12})
    assert zencoder.asked == {}
    stored = str(list(Job.objects.values()))
    assert "word" not in stored
    assert "abcdef0123" not in stored
    assert JobSecret.objects.get().input_url == REQUEST.input
    assert find_sent_request(job) == REQUEST
    assert AuditEntry.objects.get().action == "job.submitted"


def test_the_answer_names_the_job(account: ProviderAccount, zencoder: FakeZencoder) -> None:
    job = send(account)
    run_submission(job.pk)
    submission = state(job)
    assert (submission.state, submission.sends) == (SubmissionState.DONE, 1)
    assert (job.status, job.remote_id) == ("queued", "501")
    [sent] = zencoder.sent
    assert sent["input"] == REQUEST.input
    assert sent["pass_through"] == f'{{"reel":12}} rb:{submission.key}'
    assert list(job.events.order_by("pk").values_list("source", "to_status")) == [
        (EventSource.SUBMIT, "submitting"),
        (EventSource.SUBMIT, "queued"),
    ]


def test_running_it_again_sends_nothing(account: ProviderAccount, zencoder: FakeZencoder) -> None:
    job = send(account)
    for _ in range(3):
        run_submission(job.pk)
    assert zencoder.asked["create"] == 1


def test_a_refusal_fails_the_job_with_the_providers_message(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.faults["create"] = failing(422)
    job = send(account)
    run_submission(job.pk)
    assert state(job).state == SubmissionState.REFUSED
    assert (job.status, job.error_class, job.error_message) == (
        "failed",
        "settings.invalid",
        "Not now.",
    )
    assert job.finished_at is None
    run_submission(job.pk)
    assert zencoder.asked["create"] == 1


@pytest.mark.parametrize("fault", [unreachable, failing(429)])
def test_what_did_not_leave_is_sent_again_later(
    account: ProviderAccount, zencoder: FakeZencoder, fault: Any
) -> None:
    zencoder.faults["create"] = fault
    with time_machine.travel(NOON, tick=False) as clock:
        job = send(account)
        run_submission(job.pk)
        submission = state(job)
        assert (submission.state, submission.sends) == (SubmissionState.DUE, 0)
        assert submission.next_at >= NOON + timedelta(seconds=10)
        run_submission(job.pk)
        assert zencoder.asked["create"] == 1
        zencoder.faults.clear()
        clock.shift(60)
        run_submission(job.pk)
    assert (state(job).state, len(zencoder.jobs)) == (SubmissionState.DONE, 1)


def test_a_paused_account_holds_its_submissions(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    ProviderAccount.objects.update(enabled=False)
    account.refresh_from_db()
    job = send(account)
    run_submission(job.pk)
    assert zencoder.asked == {}
    assert not Submission.objects.due(timezone.now()).exists()
    ProviderAccount.objects.update(enabled=True)
    run_submission(job.pk)
    assert state(job).state == SubmissionState.DONE


def test_the_list_may_be_faster_than_the_worker(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    job = send(account)
    apply(account, reported("900", key=Submission.objects.get().key))
    run_submission(job.pk)
    assert (state(job).state, job.remote_id) == (SubmissionState.DONE, "900")
    assert zencoder.asked == {}


def test_the_same_job_within_a_day_is_asked_about(account: ProviderAccount) -> None:
    with time_machine.travel(NOON, tick=False) as clock:
        job = send(account)
        with pytest.raises(DuplicateJob) as caught:
            send(account)
        assert caught.value.job == job
        assert send(account, allow_duplicate=True) != job
        assert send(account, request=replace(REQUEST, renditions=REQUEST.renditions[:1])) != job
        assert send(make_account(account.organization)) != job
        clock.shift(timedelta(hours=24, seconds=1))
        assert send(account) != job


def test_a_failed_job_may_be_sent_again_without_asking(account: ProviderAccount) -> None:
    job = send(account)
    Job.objects.filter(pk=job.pk).update(status="failed", error_class="unknown")
    assert send(account) != job


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        (JobRequest(input="  "), "input"),
        (JobRequest(input="harbour.mov"), "input"),
        (JobRequest(input="https://[half"), "input"),
        (JobRequest(input="s3://a/b\nc"), "input"),
        (JobRequest(input="s3://a/" + "b" * 4000), "input"),
        (replace(REQUEST, metadata="x" * 300), "metadata"),
        (replace(REQUEST, extra={"api_key": "k"}), "extra"),
        (replace(REQUEST, renditions=()), "renditions"),
        (replace(REQUEST, renditions=(), thumbnails=Thumbnails(count=1)), "renditions"),
        (replace(REQUEST, renditions=(), extra={"region": "europe"}), "renditions"),
        (replace(REQUEST, extra={"outputs": []}), "renditions"),
    ],
)
def test_what_cannot_be_sent_is_refused_at_its_field(
    account: ProviderAccount, request_: JobRequest, field: str
) -> None:
    with pytest.raises(SubmissionRefused) as caught:
        send(account, request=request_)
    assert [issue.field for issue in caught.value.issues] == [field]
    assert not Job.objects.exists()


def test_a_preview_shows_the_body_without_secrets_and_sends_nothing(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    body = preview(account, REQUEST)
    assert [part["label"] for part in body["outputs"]][:2] == ["mp4-240p", "mp4-360p"]
    assert "word" not in str(body)
    assert "abcdef0123" not in str(body)
    assert zencoder.asked == {}


def test_a_broker_that_is_down_does_not_fail_the_caller(
    organization: Organization,
    account: ProviderAccount,
    settings: Any,
    django_capture_on_commit_callbacks: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from celery import current_app

    def refuse(*args: Any, **options: Any) -> None:
        raise requests.ConnectionError("The broker is down.")

    monkeypatch.setattr(current_app, "send_task", refuse)
    with django_capture_on_commit_callbacks(execute=True) as callbacks:
        job = send(account)
    assert len(callbacks) == 1
    assert Submission.objects.due(timezone.now()).get().job == job
