"""Adding many jobs to a batch from the pages."""

import re

import pytest
from django.test import Client

from jobs.bulk.worker import run_bulk
from jobs.models import Batch, BulkAction, ProviderAccount
from organizations.models import Organization
from tests.factories import make_organization
from tests.jobs.factories import make_account, make_batch, make_job
from tests.jobs.views.test_bulk import BULK, NEW, confirm, text_of

pytestmark = pytest.mark.django_db


def test_the_confirmation_says_what_is_left_out_and_asks_for_the_batch(
    operator: Client, account: ProviderAccount
) -> None:
    make_batch(make_account(make_organization()), name="theirs")
    make_job(account)
    make_job(account, batch=make_batch(account, name="winter"))
    response = operator.get(f"{NEW}?action=add_to_batch&status=succeeded")
    text, page = text_of(response), response.content.decode()
    assert "Add 1 of 2 jobs to a batch?" in text
    assert "Nothing is sent to a provider." in text
    assert "Left out: 1 1 Already in the batch “winter”" in text
    assert "Jobs a minute" not in text
    assert '<option value="winter">' in page
    assert "theirs" not in page
    link = re.search(r'href="([^"]*)">Already in the batch', page)
    assert link
    assert f"batch%3A{Batch.objects.get(name='winter').pk}" in link[1]


def test_the_jobs_are_in_the_batch_on_every_page(
    operator: Client, viewer: Client, account: ProviderAccount
) -> None:
    job = make_job(account, name="harbour.mov")
    make_job(account, status="failed")
    response = confirm(operator, "action=add_to_batch&status=succeeded", new_batch="reels")
    bulk = BulkAction.objects.get()
    assert response.headers["Location"] == f"{BULK}{bulk.pk}/"
    run_bulk(bulk.pk)
    batch = Batch.objects.get()
    text = text_of(viewer.get(f"{BULK}{bulk.pk}/"))
    assert "Adding 1 job to “reels”" in text
    assert "Done harbour.mov" in text
    assert "Adding 1 job to “reels”" in text_of(viewer.get(BULK))
    for url in (
        f"/o/harbour-studio/batches/{batch.pk}/",
        f"/o/harbour-studio/jobs/?batch={batch.pk}",
    ):
        assert "harbour.mov" in text_of(viewer.get(url))
    assert "1 of 1 succeeded" in text_of(viewer.get(f"/o/harbour-studio/batches/{batch.pk}/"))
    assert "reels" in text_of(viewer.get(f"/o/harbour-studio/jobs/{job.pk}/"))
    assert "reels" in text_of(viewer.get("/o/harbour-studio/batches/"))


def test_a_form_that_is_sent_twice_makes_one_batch(
    operator: Client, account: ProviderAccount
) -> None:
    make_job(account)
    sent = {"new_batch": "reels", "key": "k"}
    urls = {
        confirm(operator, "action=add_to_batch&status=succeeded", **sent).headers["Location"]
        for _ in range(2)
    }
    assert len(urls) == Batch.objects.count() == 1


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "Choose a batch, or enter the name of a new one."),
        ({"batch": "reels", "new_batch": "x"}, "Choose a batch, or enter the name of a new one."),
        ({"batch": "theirs"}, "No batch has this id or name."),
        ({"new_batch": "reels"}, "Another batch has this name."),
        ({"new_batch": "n" * 101}, "at most 100 characters"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_lost(
    operator: Client,
    organization: Organization,
    account: ProviderAccount,
    given: dict[str, str],
    sentence: str,
) -> None:
    make_job(account)
    make_batch(account, name="reels")
    make_batch(make_account(make_organization()), name="theirs")
    query = "action=add_to_batch&status=succeeded"
    response = confirm(operator, query, reason="For the festival", **given)
    assert response.status_code == 422
    assert sentence in text_of(response)
    page = response.content.decode()
    for value in ("For the festival", *given.values()):
        assert f'value="{value}"' in page
    assert (BulkAction.objects.count(), Batch.objects.count()) == (0, 2)


def test_a_viewer_adds_nothing(viewer: Client, account: ProviderAccount) -> None:
    job = make_job(account)
    assert viewer.get(f"{NEW}?action=add_to_batch&id={job.pk}").status_code == 403
    sent = {"action": "add_to_batch", "id": [job.pk], "key": "k", "new_batch": "reels"}
    assert viewer.post(NEW, sent).status_code == 403
    assert not Batch.objects.exists()
