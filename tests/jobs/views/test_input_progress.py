"""The input panel while a job fetches its input."""

import pytest
from django.test import Client
from django.urls import reverse

from jobs.models import Job, ProviderAccount
from providers.core.status import JobStatus
from providers.core.types import RemoteInput
from tests.jobs.answers import apply, reported

pytestmark = pytest.mark.django_db


def fetched(percent: float | None) -> RemoteInput:
    return RemoteInput(url="s3://rushes/reel.mov", fetched_percent=percent)


def test_it_says_how_much_is_fetched_until_all_is(viewer: Client, account: ProviderAccount) -> None:
    apply(account, reported(input=fetched(42.31)))
    job = Job.objects.get(remote_id="71")
    path = reverse("jobs:detail", args=["harbour-studio", job.pk])
    assert "Fetching input, 42%" in viewer.get(path).content.decode()
    apply(account, reported(input=fetched(None), name="a list says less"), at=5)
    assert "Fetching input, 42%" in viewer.get(path).content.decode()
    apply(account, reported(input=fetched(100)), at=10)
    assert "Fetching input" not in viewer.get(path).content.decode()


def test_a_job_that_ended_fetches_nothing(viewer: Client, account: ProviderAccount) -> None:
    apply(account, reported(input=fetched(12)))
    apply(account, reported(status=JobStatus.CANCELLED), at=5)
    job = Job.objects.get(remote_id="71")
    assert (job.input_fetched_percent, job.is_fetching_input) == (None, False)
