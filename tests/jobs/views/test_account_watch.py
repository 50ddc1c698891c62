"""Adding a job by its id on the account's page."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.models import Job, ProviderAccount

pytestmark = pytest.mark.django_db


@pytest.fixture
def page(account: ProviderAccount) -> str:
    return reverse("jobs:account_edit", args=["harbour-studio", account.pk])


def test_an_operator_adds_a_job_and_sees_that_it_waits(
    operator: Client, account: ProviderAccount, page: str
) -> None:
    ProviderAccount.objects.update(next_sync_at=timezone.now() + timedelta(hours=1))
    text = operator.get(page).content.decode()
    assert "Job id at Zencoder" in text
    assert "Base URL" not in text  # settings are for managers

    answer = operator.post(f"{page}watch/", {"remote_id": " 4711 "}, follow=True)
    job = Job.objects.get(account=account, remote_id="4711")
    text = answer.content.decode()
    assert answer.redirect_chain[0][0].endswith(f"/jobs/{job.pk}/")
    assert "4711 added. It is read from" in text
    assert "has not been asked about it yet" in text
    account.refresh_from_db()
    assert account.next_sync_at <= timezone.now()

    Job.objects.update(gone_at=timezone.now())
    assert (
        "Zencoder does not know this id"
        in operator.get(answer.request["PATH_INFO"]).content.decode()
    )


def test_a_mistake_is_shown_at_the_field(operator: Client, page: str) -> None:
    answer = operator.post(f"{page}watch/", {"remote_id": "two words"})
    text = answer.content.decode()
    assert answer.status_code == 422
    assert "An id has no spaces" in text
    assert 'value="two words"' in text
    assert not Job.objects.exists()
