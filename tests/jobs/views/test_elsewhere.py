"""The page that retries a job at another account, and the one that compares the two."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from jobs.models import Job, ProviderAccount
from jobs.submission.service import submit
from organizations.models import Organization
from providers.core.types import JobRequest, Rendition
from tests.jobs.factories import make_account, make_job

pytestmark = pytest.mark.django_db


@pytest.fixture
def target(studio: Organization) -> ProviderAccount:
    credentials = {"api_key": "k", "secret": "s"}
    return make_account(studio, provider="videosdk", name="Second", credentials=credentials)


@pytest.fixture
def failed(account: ProviderAccount, target: ProviderAccount) -> Job:
    request = JobRequest(
        "https://rushes.example/harbour.mov?Signature=canary-0123",
        destination="s3://site/harbour/",
        renditions=(Rendition("mp4", (360, 540)),),
    )
    job = submit(organization=account.organization, account=account, request=request).job
    Job.objects.filter(pk=job.pk).update(status="failed", remote_id="9")
    return job


def path_of(name: str, job: Job) -> str:
    return reverse(f"jobs:{name}", args=["harbour-studio", job.pk])


def test_the_page_shows_three_lists_before_anything_is_sent(
    operator: Client, failed: Job, target: ProviderAccount
) -> None:
    page = operator.get(path_of("detail", failed)).content.decode()
    assert path_of("elsewhere", failed) in page
    html = operator.get(path_of("elsewhere", failed), {"account": target.pk}).content.decode()
    kept, approximated, dropped = (
        html.partition(f'id="{name}"')[2].partition("</section>")[0]
        for name in ("kept", "approximated", "dropped")
    )
    assert "MP4 360p" in kept
    assert "480p" in approximated
    assert "s3://site/harbour/" in dropped
    assert "stores outputs itself" in dropped
    assert "canary" not in html
    assert Job.objects.count() == 1


def test_sent_twice_the_form_makes_one_job_and_the_two_are_compared(
    operator: Client, viewer: Client, failed: Job, target: ProviderAccount
) -> None:
    path = path_of("elsewhere", failed)
    form = operator.get(path).context["form"]
    values = {"account": target.pk, "key": form["key"].value(), "priority": "7", "reason": "Twice"}
    for _ in range(2):
        response = operator.post(path, values, follow=True)
        assert "Retrying harbour.mov at Second as this job." in response.content.decode()
    made = Job.objects.exclude(pk=failed.pk).get()
    assert (made.account, made.retry_of, made.priority) == (target, failed, 7)
    compared = viewer.get(path_of("compare", made)).content.decode()
    assert f"Compare jobs {failed.pk} and {made.pk}" in compared
    assert path_of("compare", made) in viewer.get(path_of("detail", failed)).content.decode()
    # with another key, while the retry runs
    again = operator.post(path, values | {"key": "another"})
    assert again.status_code == 409
    assert "already retried" in again.content.decode()
    assert Job.objects.count() == 2


def test_what_cannot_be_sent_says_why_and_has_no_button(
    operator: Client, failed: Job, studio: Organization
) -> None:
    xvid = make_account(
        studio,
        provider="xvid",
        name="X",
        credentials={"client_id": "c", "client_secret": "s"},
        options={"pipeline_id": "p"},
    )
    html = operator.get(path_of("elsewhere", failed), {"account": xvid.pk}).content.decode()
    assert "It cannot be sent to" in html
    assert "Send to" not in html
    values = {"account": xvid.pk, "key": "k", "priority": "0", "reason": ""}
    assert operator.post(path_of("elsewhere", failed), values).status_code == 422
    assert Job.objects.count() == 1


def test_a_foreign_account_is_none_of_the_choices(
    operator: Client, failed: Job, foreign_job: Job
) -> None:
    values = {"account": foreign_job.account_id, "key": "k"}
    response = operator.post(path_of("elsewhere", failed), values)
    assert response.status_code == 422
    assert "Choose one of these accounts." in response.content.decode()
    assert Job.objects.exclude(pk=foreign_job.pk).count() == 1


def test_what_is_not_to_be_retried_leads_back_with_the_reason(
    operator: Client, account: ProviderAccount, target: ProviderAccount
) -> None:
    for job in (make_job(account, status="running"), make_job(account, status="failed")):
        response = operator.get(path_of("elsewhere", job))
        assert response["Location"] == path_of("detail", job)


def test_a_destination_that_the_other_provider_needs_is_entered_here(
    operator: Client, account: ProviderAccount, studio: Organization
) -> None:
    other = make_account(
        studio,
        provider="tpstreams",
        name="There",
        base_url="https://app.tpstreams.com/api/v1/org42",
        credentials={"token": "t"},
    )
    request = JobRequest("https://rushes.example/a.mov", renditions=(Rendition("hls", (360,)),))
    job = submit(organization=studio, account=account, request=request).job
    Job.objects.filter(pk=job.pk).update(status="failed", remote_id="9")
    path = path_of("elsewhere", job)
    typed: dict[str, Any] = {"account": other.pk}
    refused = operator.get(path, typed)
    assert "enter a destination" in refused.content.decode()
    typed |= {"destination": "s3://AKIA0:canary-0123@site/harbour/"}
    shown = operator.post(path, typed | {"preview": "yes"})
    lists = shown.content.decode().partition('id="approximated"')[2].partition('id="dropped"')[0]
    assert "Entered for this retry." in lists
    assert "canary" not in lists
    assert Job.objects.count() == 1
    key = shown.context["form"]["key"].value()
    assert operator.post(path, typed | {"key": key, "priority": "0"}).status_code == 302
    made = Job.objects.get(retry_of=job).request or {}
    assert made["destination"].startswith("s3://")
    assert "canary" not in str(made)
