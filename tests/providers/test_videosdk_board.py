"""Video SDK's oddities as they end on the board: the adapter, the mirror and the pages together."""

from collections.abc import Callable
from typing import Any

import pytest
import responses
from django.test import Client
from django.urls import reverse
from responses import matchers

from jobs.actions.cancellation import request_cancel
from jobs.actions.worker import run_action
from jobs.models import Job, ProviderAccount
from jobs.sync.runner import sync_account
from organizations.models import Organization, Role
from sandbox.server import start
from tests.factories import make_membership, make_organization
from tests.jobs.factories import make_account

pytestmark = pytest.mark.django_db

BASE = "https://videosdk.example.com/v1"
LIST = f"{BASE}/encoder/jobs/"

Load = Callable[[str], Any]


@pytest.fixture
def studio() -> Organization:
    return make_organization("studio")


@pytest.fixture
def viewer(studio: Organization) -> Client:
    client = Client()
    client.force_login(make_membership(studio, Role.VIEWER).user)
    return client


def add_account(studio: Organization, base_url: str, **credentials: str) -> ProviderAccount:
    return make_account(
        studio,
        provider="videosdk",
        base_url=base_url,
        credentials=credentials,
        options={"requests_per_minute": "100000"},
        imported_at=None,
        last_pass_at=None,
    )


@pytest.fixture
def account(studio: Organization) -> ProviderAccount:
    return add_account(studio, BASE, token="eyJready.canary.token")


def run(account: ProviderAccount) -> None:
    report = sync_account(account.pk, foreground=True)
    assert report is not None
    assert report.ok, report.error


def show(viewer: Client, name: str, *arguments: Any) -> str:
    return viewer.get(reverse(f"jobs:{name}", args=["studio", *arguments])).content.decode()


def test_a_seeded_job_in_an_undocumented_state_is_unknown_with_its_label_kept(
    studio: Organization, viewer: Client
) -> None:
    with start(encode=False, rate_limit=0, time_scale=0, seed_jobs=3, seed_unknown=1) as sandbox:
        names = ("api_key", "secret")
        keys = {name: sandbox.keys[f"videosdk_{name}"] for name in names}
        run(add_account(studio, sandbox.api_url("videosdk"), **keys))
    job = Job.objects.get(status="unknown")
    assert job.provider_status == "quarantined"
    assert 'title="Reported as “quarantined”"' in show(viewer, "list")
    assert "reported as “<bdi>quarantined</bdi>”" in show(viewer, "detail", job.pk)


def test_a_job_that_two_pages_of_a_growing_list_hold_is_one(
    account: ProviderAccount, wire: responses.RequestsMock, load: Load
) -> None:
    pages = [load(f"videosdk/list_page_{number}.json") for number in (1, 2)]
    for number, page in enumerate(pages, start=1):
        wire.get(
            LIST, json=page, match=[matchers.query_param_matcher({"page": number, "perPage": 20})]
        )
    reported = [job["id"] for page in pages for job in page["data"]]
    assert len(reported) == 4
    run(account)
    found = list(Job.objects.filter(account=account).values_list("remote_id", flat=True))
    assert (set(found), len(found)) == (set(reported), 3)


def test_the_placeholder_of_a_webhook_url_is_text_on_the_page(
    account: ProviderAccount, viewer: Client, wire: responses.RequestsMock, load: Load
) -> None:
    """Its samples spell the url with angle brackets."""
    body = load("videosdk/job_failed.json")
    wire.get(LIST, json={"pageInfo": {"currentPage": 1, "lastPage": 1}, "data": [body]})
    run(account)
    job = Job.objects.get(account=account)
    page = show(viewer, "raw", job.pk) + show(viewer, "detail", job.pk)
    assert "&lt;your-website-address&gt;" in page
    assert "<your-website-address>" not in page


def test_a_deleted_job_is_cancelled_whatever_the_answer_says(
    account: ProviderAccount, wire: responses.RequestsMock, load: Load
) -> None:
    """The answer to the deletion calls the job `queued`, and then it is not known any more."""
    body = load("videosdk/deleted.json")
    wire.get(LIST, json={"pageInfo": {"currentPage": 1, "lastPage": 1}, "data": [body]})
    run(account)
    job = Job.objects.get(account=account)
    assert job.status == "queued"
    url = f"{BASE}/encoder/jobs/{body['id']}"
    wire.delete(url, json=body)
    wire.get(url, status=404, json={"message": "Not Found"})
    run_action(request_cancel(job).pk)
    job.refresh_from_db()
    assert (job.status, job.gone_at is None) == ("cancelled", False)


def test_a_withdrawn_service_leaves_the_jobs_as_they_are(
    account: ProviderAccount, wire: responses.RequestsMock, load: Load
) -> None:
    body = load("videosdk/job_processing.json")
    wire.get(LIST, json={"pageInfo": {"currentPage": 1, "lastPage": 1}, "data": [body]})
    run(account)
    wire.reset()
    page = load("videosdk/withdrawn.html")
    for url in (LIST, f"{BASE}/encoder/jobs/{body['id']}"):
        wire.get(url, body=page, status=404, content_type="text/html")
    report = sync_account(account.pk, foreground=True)
    assert report
    assert "no longer offers" in str(report.error)
    job = Job.objects.get(account=account)
    assert (job.status, job.gone_at) == ("running", None)
