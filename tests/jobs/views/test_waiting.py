"""A job that waits here for a place at its account says so."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from jobs.models import Job, ProviderAccount, Submission
from jobs.submission.service import submit
from organizations.models import Organization
from providers.core.types import JobRequest, Rendition
from tests.jobs.views.list_page import ListPage

pytestmark = pytest.mark.django_db

SENTENCE = "Waiting here: 1 of 1 job is running at this account."


@pytest.fixture
def waiting(account: ProviderAccount) -> Job:
    """One that waits since another runs at the account."""
    account.options = {"max_unfinished_jobs": "1"}
    account.save(update_fields=["options"])
    request = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))
    running, job = (
        submit(
            organization=account.organization,
            account=account,
            request=request,
            allow_duplicate=True,
        ).job
        for _ in range(2)
    )
    Submission.objects.filter(pk=running.pk).update(state="done")
    Job.objects.filter(pk=running.pk).update(status="running", remote_id="9")
    return job


def test_the_row_and_the_page_say_that_it_waits_here(
    viewer: Client, waiting: Job, studio: Organization
) -> None:
    html = viewer.get(reverse("jobs:list", args=[studio.slug])).content.decode()
    assert html.count("Waiting here") >= 2  # the mark, and its title
    assert SENTENCE in html
    page = viewer.get(reverse("jobs:detail", args=[studio.slug, waiting.pk])).content.decode()
    assert f"{SENTENCE} Number 1 in the queue." in page
    assert "Waiting to be sent" not in page


def test_its_row_changes_when_its_turn_has_come_and_back(
    viewer: Client, waiting: Job, django_assert_max_num_queries: Any
) -> None:
    page = ListPage.open(viewer)
    assert page.poll() == ""
    Job.objects.filter(status="running").update(status="succeeded")
    html = page.poll()
    assert f'<tr id="job-{waiting.pk}"' in html
    assert html.count("<tr ") == 1
    assert "Waiting here" not in html
    assert page.poll() == ""
    Job.objects.filter(status="succeeded").update(status="running")
    assert "Waiting here" in page.poll()
    with django_assert_max_num_queries(11):
        assert page.poll() == ""


def test_a_page_notices_when_its_turn_has_come(
    viewer: Client, waiting: Job, studio: Organization
) -> None:
    path = reverse("jobs:detail", args=[studio.slug, waiting.pk])
    state = viewer.get(path).context["live_state"]
    query, headers = {"state": state}, {"HX-Request": "true"}
    assert viewer.get(path, query, headers=headers).status_code == 204
    Job.objects.filter(status="running").update(status="succeeded")
    response = viewer.get(path, query, headers=headers)
    assert response.status_code == 200
    assert "Waiting to be sent" in response.content.decode()
