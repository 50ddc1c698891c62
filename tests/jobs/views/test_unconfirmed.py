"""A submission on its way, and what a person answers where we do not know what became of it."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.models import Job, ProviderAccount, Submission, SubmissionState
from jobs.submission.service import submit
from providers.core.types import JobRequest, Rendition
from tests.jobs.factories import make_account
from tests.jobs.fake_zencoder import FakeZencoder, failing, serve
from tests.markup import without_isolation


@pytest.fixture
def zencoder() -> Iterator[FakeZencoder]:
    yield from serve(FakeZencoder(key="key-of-Zencoder main"))


def send(account: ProviderAccount, state: SubmissionState, **fields: Any) -> Job:
    """A job that was submitted, whose submission has come so far."""
    request = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))
    job = submit(
        organization=account.organization, account=account, request=request, allow_duplicate=True
    ).job
    later = timezone.now() + timedelta(hours=1)
    fields = {"state": state, "next_at": later, "sent_at": timezone.now()} | fields
    Submission.objects.filter(pk=job.pk).update(**fields)
    return job


@pytest.fixture
def unconfirmed(account: ProviderAccount) -> Job:
    return send(account, SubmissionState.UNCONFIRMED, note="Check there, then decide.")


def url(job: Job, name: str = "detail") -> str:
    return reverse(f"jobs:{name}", args=["harbour-studio", job.pk])


def state(job: Job) -> str:
    return Submission.objects.get(pk=job.pk).state


def test_an_unconfirmed_job_asks_to_check_at_the_provider(
    operator: Client, unconfirmed: Job
) -> None:
    html = operator.get(url(unconfirmed)).content.decode()
    for text in ("Submission unconfirmed", "s3://rushes/harbour.mov", "Use this job", "Send again"):
        assert text in html
    assert "It is being sent" not in html


def test_a_viewer_sees_who_can_answer(viewer: Client, unconfirmed: Job) -> None:
    html = viewer.get(url(unconfirmed)).content.decode()
    assert "An operator of Harbour Studio" in html
    assert url(unconfirmed, "resolve") not in html


def test_the_job_that_was_found_is_ours_from_then_on(
    operator: Client, unconfirmed: Job, zencoder: FakeZencoder
) -> None:
    zencoder.add(88, "processing")
    response = operator.post(url(unconfirmed, "resolve"), {"found_remote_id": " 88 "})
    assert response["Location"] == url(unconfirmed)
    unconfirmed.refresh_from_db()
    assert (unconfirmed.remote_id, unconfirmed.status, state(unconfirmed)) == (
        "88",
        "running",
        "done",
    )
    assert zencoder.asked["create"] == 0


def test_an_id_that_the_provider_does_not_know_is_refused_at_its_field(
    operator: Client, unconfirmed: Job, zencoder: FakeZencoder
) -> None:
    response = operator.post(url(unconfirmed, "resolve"), {"found_remote_id": "4711"})
    assert response.status_code == 422
    assert response.context["found_form"].errors["found_remote_id"]
    assert 'value="4711"' in response.content.decode()
    assert state(unconfirmed) == SubmissionState.UNCONFIRMED


@pytest.mark.parametrize("given", ["", "  ", "x" * 300])
def test_what_is_no_id_is_refused_without_asking(
    operator: Client, unconfirmed: Job, zencoder: FakeZencoder, given: str
) -> None:
    response = operator.post(url(unconfirmed, "resolve"), {"found_remote_id": given})
    assert response.status_code == 422
    assert not zencoder.asked


def test_a_provider_that_does_not_answer_is_reported_at_the_field(
    operator: Client, unconfirmed: Job, zencoder: FakeZencoder
) -> None:
    zencoder.faults["details"] = failing(503)
    response = operator.post(url(unconfirmed, "resolve"), {"found_remote_id": "88"})
    assert response.status_code == 422
    assert state(unconfirmed) == SubmissionState.UNCONFIRMED


def test_the_job_of_another_submission_cannot_be_taken(
    operator: Client, unconfirmed: Job, account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    other = send(account, SubmissionState.DONE)
    Job.objects.filter(pk=other.pk).update(remote_id="88", status="running")
    zencoder.add(88)
    response = operator.post(url(unconfirmed, "resolve"), {"found_remote_id": "88"})
    assert f"belongs to job {other.pk}" in str(response.context["found_form"].errors)


def test_it_is_sent_again_only_by_one_who_checked(operator: Client, unconfirmed: Job) -> None:
    response = operator.post(url(unconfirmed, "resolve"), {"again": "yes"})
    assert response.status_code == 422
    assert "charged twice" in response.content.decode()
    assert state(unconfirmed) == SubmissionState.UNCONFIRMED

    response = operator.post(url(unconfirmed, "resolve"), {"again": "yes", "send_again": "on"})
    assert response["Location"] == url(unconfirmed)
    assert state(unconfirmed) == SubmissionState.DUE


def test_an_answer_that_comes_too_late_changes_nothing(
    operator: Client, account: ProviderAccount
) -> None:
    job = send(account, SubmissionState.VERIFYING)
    response = operator.post(url(job, "resolve"), {"send_again": "on"}, follow=True)
    assert "is no longer unconfirmed" in response.content.decode()
    assert state(job) == SubmissionState.VERIFYING


def test_who_may_answer(viewer: Client, stranger: Client, unconfirmed: Job) -> None:
    values = {"send_again": "on"}
    assert viewer.post(url(unconfirmed, "resolve"), values).status_code == 403
    assert stranger.post(url(unconfirmed, "resolve"), values).status_code == 404
    assert state(unconfirmed) == SubmissionState.UNCONFIRMED


@pytest.mark.parametrize(
    ("come_so_far", "fields", "phrase"),
    [
        (SubmissionState.VERIFYING, {}, "no response arrived"),
        (SubmissionState.DUE, {"failures": 2, "note": "Not now."}, "2 failed attempts so far"),
        (SubmissionState.DUE, {"failures": 1, "note": "Too many."}, "Too many."),
    ],
)
def test_a_job_on_its_way_says_what_it_waits_for(
    viewer: Client,
    account: ProviderAccount,
    come_so_far: SubmissionState,
    fields: dict[str, Any],
    phrase: str,
) -> None:
    assert phrase in viewer.get(url(send(account, come_so_far, **fields))).content.decode()


def test_a_paused_account_is_said_to_hold_it(viewer: Client, account: ProviderAccount) -> None:
    paused = make_account(account.organization, name="Night shift", enabled=False)
    html = without_isolation(viewer.get(url(send(paused, SubmissionState.DUE))).content.decode())
    assert "<strong>On hold:</strong> Night shift is paused." in html


def test_the_poll_sees_a_submission_move(viewer: Client, account: ProviderAccount) -> None:
    job = send(account, SubmissionState.VERIFYING)
    shown = viewer.get(url(job)).context["live_state"]
    polled = {"HX-Request": "true"}
    assert viewer.get(url(job), {"state": shown}, headers=polled).status_code == 204
    Submission.objects.filter(pk=job.pk).update(state=SubmissionState.UNCONFIRMED)
    moved = viewer.get(url(job), {"state": shown}, headers=polled)
    assert "Submission unconfirmed" in moved.content.decode()
