"""Cancel and resubmit on the job page: what was asked for, and what is said about it."""

from django.test import Client
from django.urls import reverse

from jobs.models import Job, JobAction, ProviderAccount
from providers.status import JobStatus
from tests.jobs.factories import make_job


def act(client: Client, job: Job, name: str) -> str:
    path = reverse(f"jobs:{name}", args=["harbour-studio", job.pk])
    return client.post(path, follow=True).content.decode()


def test_a_cancelled_job_is_asked_for_and_said_so(
    operator: Client, account: ProviderAccount
) -> None:
    job = make_job(account, status=JobStatus.RUNNING)
    html = act(operator, job, "cancel")
    assert f"Zencoder is asked to cancel {job}." in html
    assert "Cancel was asked for" in html
    action = JobAction.objects.get()
    assert (action.job, action.kind, action.actor is not None) == (job, "cancel", True)


def test_a_refusal_says_why(operator: Client, account: ProviderAccount) -> None:
    job = make_job(account)
    assert f"{job} was not cancelled." in act(operator, job, "cancel")
    assert not JobAction.objects.exists()


def test_a_failed_job_is_run_again(operator: Client, account: ProviderAccount) -> None:
    job = make_job(account, status=JobStatus.FAILED)
    assert "is run again, as the job shown here" in act(operator, job, "resubmit")
    action = JobAction.objects.get()
    assert (action.kind, action.job.retry_of) == ("resubmit", job)
