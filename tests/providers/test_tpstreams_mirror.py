"""TPStreams' traps where they show: in the mirror's rows, on pages, and after a cancellation."""

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import responses
from django.test import Client
from django.urls import reverse

from jobs.actions.cancellation import request_cancel
from jobs.actions.worker import run_action
from jobs.mirror import writer
from jobs.models import ActionState, EventSource, Job, JobEvent, ProviderAccount, WebhookDelivery
from jobs.webhooks.handler import handle_delivery
from organizations.models import Role
from providers.core.contract import Account
from providers.http.client import HttpClient
from providers.tpstreams.adapter import TPStreams
from tests.factories import make_membership, make_organization
from tests.jobs.factories import NOON, make_account

pytestmark = pytest.mark.django_db

BASE = "https://tpstreams.example.com/api/v1"
JOBS = f"{BASE}/6dnpyx/transcoding_jobs/"

Load = Callable[[str], Any]


@pytest.fixture
def account() -> ProviderAccount:
    return make_account(
        make_organization("studio"),
        provider="tpstreams",
        base_url=BASE,
        credentials={"token": "canary-token", "webhook_secret": "canary-webhook"},
        options={"organization_id": "6dnpyx"},
    )


@pytest.fixture
def tpstreams(account: ProviderAccount, http: HttpClient) -> TPStreams:
    return TPStreams(Account(account.base_url, account.credentials, account.options), http)


@pytest.fixture
def list_jobs(
    account: ProviderAccount, tpstreams: TPStreams, wire: responses.RequestsMock
) -> Callable[..., None]:
    """Mirror a list of these bodies, so many minutes after noon."""

    def mirror_them(*bodies: Any, minutes: int = 0) -> None:
        wire.upsert("GET", JOBS, json={"count": len(bodies), "next": None, "results": bodies})
        (page,) = tpstreams.list_jobs()
        apply(account, *page.jobs, minutes=minutes)

    return mirror_them


@pytest.fixture
def read_job(
    account: ProviderAccount, tpstreams: TPStreams, wire: responses.RequestsMock
) -> Callable[..., None]:
    """Mirror the details of one job, so many minutes after noon."""

    def mirror_it(body: Any, minutes: int = 0) -> None:
        wire.upsert("GET", f"{JOBS}{body['id']}/", json=body)
        apply(account, tpstreams.get_job(body["id"]), minutes=minutes)

    return mirror_it


def apply(account: ProviderAccount, *jobs: Any, minutes: int) -> None:
    at: datetime = NOON + timedelta(minutes=minutes)
    writer.apply(account, jobs, source=EventSource.POLL, observed_at=at)


def find_job(remote_id: str) -> Job:
    return Job.objects.get(remote_id=remote_id)


# The four shapes of one job


def test_an_answer_with_fewer_keys_takes_nothing_away(
    list_jobs: Callable[..., None], read_job: Callable[..., None], load: Load
) -> None:
    listed = load("tpstreams/list_page_2.json")["results"][0]
    details = load("tpstreams/job_completed.json")
    read_job(details)
    held = find_job(details["id"])
    assert held.metadata == {"asset": 9041, "tags": ["ferry", "dawn"]}
    # lower case, another zone, the length as a clock, no metadata: the same job all the same
    for minutes in range(1, 5):
        list_jobs(listed, minutes=minutes) if minutes % 2 else read_job(details, minutes)
    again = find_job(details["id"])
    assert (again.version, again.changed_at) == (held.version, held.changed_at)
    assert (again.metadata, again.provider_status) == (held.metadata, "Completed")
    assert JobEvent.objects.filter(job=again).count() == 1


def test_a_drm_id_is_the_same_with_and_without_dashes(
    read_job: Callable[..., None], load: Load
) -> None:
    body = load("tpstreams/webhook_job.json")
    assert "-" in body["drm_content_id"]
    read_job(body)
    held = find_job(body["id"])
    read_job({**body, "drm_content_id": body["drm_content_id"].replace("-", "")}, minutes=1)
    assert find_job(body["id"]).version == held.version


def test_a_job_that_failed_without_an_end_stays_failed(
    list_jobs: Callable[..., None], read_job: Callable[..., None], load: Load
) -> None:
    body = load("tpstreams/job_error.json")
    read_job(body)
    list_jobs({**body, "status": "error", "video_duration": None}, minutes=1)
    job = find_job(body["id"])
    assert (job.status, job.finished_at, job.attempt) == ("failed", None, 1)
    assert job.input_duration_ms == 103_500


def test_jobs_of_a_page_keep_its_order(list_jobs: Callable[..., None], load: Load) -> None:
    """There is no time of creation to sort them by."""
    list_jobs(*load("tpstreams/list_page_1.json")["results"])
    shown = Job.objects.order_by("-sort_at", "-pk").values_list("remote_id", flat=True)
    assert list(shown) == ["7hQwN2sKx0B", "Zb4Tn81LmQe"]
    assert not Job.objects.filter(created_at__isnull=False).exists()


# Pages


def test_pages_report_the_region_and_no_secret(
    account: ProviderAccount, read_job: Callable[..., None], load: Load
) -> None:
    """Unescaped, a browser reads the beginning of `&region=` as a registered sign."""
    for name in ("completed", "transcoding"):
        read_job(load(f"tpstreams/job_{name}.json"))
    viewer = Client()
    viewer.force_login(make_membership(account.organization, Role.VIEWER).user)
    for job in Job.objects.all():
        pages = {
            name: viewer.get(reverse(f"jobs:{name}", args=["studio", job.pk])).content.decode()
            for name in ("detail", "raw")
        }
        assert "canary" not in "".join(pages.values())
        # the URL of what is not made yet is offered nowhere
        assert ("&amp;region=eu-west-1" in pages["detail"]) == (job.status == "succeeded")
        assert "&reg" not in pages["detail"]


# Webhooks


def test_a_delivery_is_kept_without_secrets_and_its_job_is_read_anew(
    account: ProviderAccount, wire: responses.RequestsMock, load: Load
) -> None:
    path = reverse("jobs:webhook", args=["tpstreams", account.pk, account.hook_secret])
    sent = load("tpstreams/webhook_job.json")
    for body in (
        sent,
        load("tpstreams/webhook_asset.json"),
        load("tpstreams/webhook_livestream.json"),
    ):
        response = Client().post(
            path,
            json.dumps(body),
            content_type="application/json",
            headers={str(TPStreams.webhook_secret_header): "canary-webhook"},
        )
        assert response.status_code == 200
    stored = WebhookDelivery.objects.order_by("pk")
    assert [delivery.verdict for delivery in stored] == ["accepted", "ignored", "ignored"]
    assert "canary" not in repr(list(stored.values()))
    wire.get(f"{JOBS}{sent['id']}/", json={**sent, "status": "Completed"})
    handle_delivery(stored[0].pk)
    assert find_job(sent["id"]).status == "succeeded"


# Cancelling


@pytest.mark.parametrize(
    ("status", "answer", "label", "expected", "state"),
    [
        (200, "Job cancelled successfully.", "Cancelled", "cancelled", ActionState.DONE),
        # which label follows, and when, is not documented
        (200, "Job cancelled successfully.", "Canceled", "cancelled", ActionState.DONE),
        (200, "Job cancelled successfully.", "Transcoding", "running", ActionState.DONE),
        (200, "Job cancelled successfully.", "Called Off", "unknown", ActionState.DONE),
        (200, "Job is already completed.", "Completed", "succeeded", ActionState.REFUSED),
        (400, "Job is already completed.", "Completed", "succeeded", ActionState.REFUSED),
    ],
)
def test_what_became_of_a_job_is_read_after_cancelling_it(
    read_job: Callable[..., None],
    wire: responses.RequestsMock,
    load: Load,
    status: int,
    answer: str,
    label: str,
    expected: str,
    state: ActionState,
) -> None:
    body = load("tpstreams/job_transcoding.json")
    read_job(body)
    action = request_cancel(find_job(body["id"]))
    wire.delete(f"{JOBS}{body['id']}/", json={"message": answer}, status=status)
    wire.upsert("GET", f"{JOBS}{body['id']}/", json={**body, "status": label})
    run_action(action.pk)
    action.refresh_from_db()
    job = find_job(body["id"])
    assert (job.status, action.state) == (expected, state)
    assert job.provider_status == label
