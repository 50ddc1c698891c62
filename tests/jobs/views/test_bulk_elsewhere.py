"""Retrying many jobs at another account from the pages."""

import re
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from jobs.bulk.worker import run_bulk
from jobs.models import BulkAction, Job, ProviderAccount
from organizations.models import Organization
from tests.factories import make_organization
from tests.jobs.bulk.conftest import REQUEST, fail, make_backup
from tests.jobs.factories import make_account, make_job, make_preset
from tests.jobs.views.test_bulk import BULK, NEW, fields_of, text_of

pytestmark = pytest.mark.django_db

QUERY = "action=resubmit_elsewhere&status=failed"


@pytest.fixture
def videosdk(studio: Organization) -> ProviderAccount:
    credentials = {"api_key": "k", "secret": "s"}
    return make_account(studio, provider="videosdk", name="V", credentials=credentials)


def given(page: str, account: ProviderAccount, **changes: Any) -> dict[str, Any]:
    """What the confirmation sends, once `account` was chosen there."""
    return {**fields_of(page), "account": account.pk, "typed": "", **changes}


def test_the_confirmation_shows_what_changes_and_for_how_many(
    operator: Client, account: ProviderAccount, videosdk: ProviderAccount
) -> None:
    make_account(make_organization(), name="theirs")
    fail(account)
    make_job(videosdk, status="failed", remote_id="v1")
    response = operator.get(f"{NEW}?{QUERY}")
    text, page = text_of(response), response.content.decode()
    # the first account at which fewest of them ran
    assert "Retry 1 of 2 jobs at another account?" in text
    assert "What changes at V Checked: the job." in text
    assert "Approximated:" in text
    assert "Such as: MP4 540p → MP4 480p" in text
    assert "Such as: Destination s3://site/harbour/" in text
    assert "From Jobs Zencoder Zencoder main 1" in text
    assert "Left out: 1 1 Ran at this account" in text
    assert "theirs" not in page
    assert "abcdef0123" not in page
    # that of the other account
    shown = operator.post(NEW, given(page, account, show="1"))
    assert (shown.status_code, BulkAction.objects.count()) == (200, 0)
    assert "What changes at main" not in text_of(shown)
    assert "None of 2 jobs can be retried there" in text_of(shown)
    assert f'<option value="{account.pk}" selected>' in shown.content.decode()


def test_what_is_confirmed_is_what_was_shown(
    operator: Client, studio: Organization, account: ProviderAccount
) -> None:
    job = fail(account)
    backup, other = make_backup(studio), make_account(studio, name="other")
    page = operator.get(f"{NEW}?{QUERY}").content.decode()
    changed = operator.post(NEW, given(page, other, reason="Outage"))
    assert "Nothing has been started: check what changes there first." in text_of(changed)
    assert 'value="Outage"' in changed.content.decode()
    assert not BulkAction.objects.exists()
    sent = given(changed.content.decode(), other, reason="Outage")
    urls = {operator.post(NEW, sent).headers["Location"] for _ in range(2)}
    bulk = BulkAction.objects.get()
    assert urls == {f"{BULK}{bulk.pk}/"}
    assert (bulk.target_account, bulk.reason) == (other, "Outage")
    run_bulk(bulk.pk)
    assert Job.objects.get(retry_of=job).account == other
    assert backup.jobs.count() == 0


def test_the_results_lead_to_the_new_jobs_and_say_what_changed(
    operator: Client, viewer: Client, account: ProviderAccount, videosdk: ProviderAccount
) -> None:
    job = fail(account)
    page = operator.get(f"{NEW}?{QUERY}").content.decode()
    operator.post(NEW, given(page, videosdk))
    bulk = BulkAction.objects.get()
    run_bulk(bulk.pk)
    new = Job.objects.get(retry_of=job)
    text = text_of(viewer.get(f"{BULK}{bulk.pk}/"))
    assert "Retry of 1 job at V" in text
    assert f"#{new.pk}" in text
    assert "Approximated: MP4 540p → MP4 480p. Left out: Destination" in text
    assert "Zencoder Zencoder main" in text
    assert "Retry of 1 job at V" in text_of(viewer.get(BULK))
    assert f"#{new.pk}" in text_of(viewer.get(f"/o/harbour-studio/jobs/{job.pk}/"))


def test_presets_are_chosen_where_the_provider_needs_some(
    operator: Client, studio: Organization, account: ProviderAccount
) -> None:
    fail(account)
    options = {"pipeline_id": "p"}
    xvid = make_account(studio, provider="xvid", name="X", options=options)
    make_preset(xvid, remote_id="p-1", name="720p ladder")
    page = operator.get(f"{NEW}?{QUERY}").content.decode()
    assert "720p ladder" in page
    sent = given(page, xvid, presets=["p-1"])
    shown = operator.post(NEW, sent | {"show": "1"}).content.decode()
    assert '<input type="hidden" name="shown_presets" value="p-1">' in shown
    assert operator.post(NEW, given(shown, xvid, presets=["p-1"])).status_code == 302
    assert BulkAction.objects.get().presets == ["p-1"]


def test_nothing_can_be_started_where_no_job_can_be_sent(
    operator: Client, account: ProviderAccount, videosdk: ProviderAccount
) -> None:
    fail(account, replace(REQUEST, test=True))
    response = operator.get(f"{NEW}?{QUERY}")
    text, page = text_of(response), response.content.decode()
    assert "None of 1 job can be retried there" in text
    assert "Cannot be sent:" in text
    # the account can still be changed
    assert re.search(r'<select name="account"', page)
    assert 'name="reason"' not in page
    refused = operator.post(NEW, given(page, videosdk, limit="", reason=""))
    assert refused.status_code == 422
    assert not BulkAction.objects.exists()


def test_an_account_of_others_or_none_is_refused(
    operator: Client, account: ProviderAccount, videosdk: ProviderAccount
) -> None:
    fail(account)
    theirs = make_account(make_organization(), name="theirs")
    page = operator.get(f"{NEW}?{QUERY}").content.decode()
    response = operator.post(NEW, given(page, theirs, shown_account=theirs.pk, reason="Outage"))
    assert response.status_code == 422
    text = text_of(response)
    assert "Choose one of these accounts." in text
    assert "theirs" not in text
    assert 'value="Outage"' in response.content.decode()
    ProviderAccount.objects.update(enabled=False)
    alone = operator.get(f"{NEW}?{QUERY}")
    assert "No account can be chosen: none takes jobs, or they are paused." in text_of(alone)
    assert not BulkAction.objects.exists()


def test_a_viewer_sends_nothing(
    viewer: Client, account: ProviderAccount, videosdk: ProviderAccount
) -> None:
    fail(account)
    assert viewer.get(f"{NEW}?{QUERY}").status_code == 403
    sent = {"action": "resubmit_elsewhere", "q": "status:failed", "key": "k"}
    assert viewer.post(NEW, sent | {"account": videosdk.pk}).status_code == 403
    assert not BulkAction.objects.exists()
