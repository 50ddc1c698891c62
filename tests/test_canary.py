"""A secret is planted wherever one can come from; it must come out nowhere."""

import json
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from jobs.accounts.service import check_account, write_account
from jobs.accounts.validation import AccountInput
from jobs.models import Job, ProviderAccount, WebhookDelivery
from jobs.submission.service import submit
from jobs.submission.worker import run_submission
from jobs.webhooks.handler import handle_delivery
from organizations.models import ApiToken, Organization, Role, Scope
from providers.core.types import JobRequest, Rendition
from tests.factories import make_membership, make_organization, make_user
from tests.jobs.fake_zencoder import FakeZencoder, body_of, serve
from tests.secret_outputs import admin_pages, leaks, stored_rows, whole_log

pytestmark = [pytest.mark.django_db, pytest.mark.database, pytest.mark.integration]

API_KEY = "canary-api-key-6f1d0c2b9a"
HOOK_SECRET = "canary-notification-secret-77aa"
PASSWORD = "canaryPassw0rd/with+signs"
SIGNATURE = "canarySignature%2Bx9%3D"
STORAGE_KEY = "canaryStorageSecret/8x+y"
TOKEN = "canary.bearer.token.4242"
CANARIES = ("canary", "Canary")

SIGNED = f"https://cdn.example.net/a.mp4?AWSAccessKeyId=AKCANARYcanary1&Signature={SIGNATURE}&Expires=1999999999"
STORE = f"s3://bucket.example.net/reel.mov?access_key=AKcanary&secret_key={STORAGE_KEY}&region=eu"
LOGIN = f"ftp://desk:{PASSWORD}@ftp.example.net/in/reel.mov"


@pytest.fixture
def zencoder() -> Iterator[FakeZencoder]:
    yield from serve(FakeZencoder(key=API_KEY))


@pytest.fixture
def log() -> Iterator[StringIO]:
    with whole_log() as stream:
        yield stream


@pytest.fixture
def organization() -> Organization:
    return make_organization("studio")


def plant(zencoder: FakeZencoder) -> None:
    """Jobs whose every text carries a secret in one of the forms that providers send."""
    done = body_of(501, test=False)
    done["input_media_file"]["url"] = LOGIN
    done["output_media_files"][0]["url"] = SIGNED
    done["output_media_files"][1]["url"] = STORE
    done["pass_through"] = json.dumps(
        {"desk": "news", "api_key": TOKEN, "nested": [{"password": PASSWORD}]}
    )
    done["thumbnails"] = [{"id": 77, "url": SIGNED.replace("a.mp4", "t.png"), "format": "png"}]
    done["notifications"] = [f"https://u:{PASSWORD}@example.net/hook"]
    lost = body_of(502, "failed")
    lost["input_media_file"] |= {
        "url": STORE,
        "error_message": f"GET {LOGIN} failed; Authorization: Bearer {TOKEN}; key {API_KEY}",
    }
    lost["output_media_files"][0] |= {
        "error_class": "UploadFailureError",
        "error_message": f"PUT {SIGNED} answered 403, secret_key={STORAGE_KEY}",
    }
    running = body_of(503, "processing")
    running["input_media_file"]["url"] = SIGNED
    zencoder.jobs |= {501: done, 502: lost, 503: running}


def mirror_and_act(organization: Organization, client: Client) -> ProviderAccount:
    entered = AccountInput(
        organization,
        provider="zencoder",
        name="Main",
        credentials={"api_key": API_KEY, "webhook_secret": HOOK_SECRET},
        options={"requests_per_minute": "100000"},
    )
    account = write_account(entered, check_account(entered), user=None)
    call_command("sync", stdout=StringIO(), stderr=StringIO())
    made = submit(
        organization=organization,
        account=account,
        request=JobRequest(
            input=LOGIN,
            destination=f"s3://AKcanary:{STORAGE_KEY.replace('/', '%2F')}@bucket/out/",
            renditions=(Rendition("mp4", (360,)),),
            metadata={"token": TOKEN},
            extra={"credentials": TOKEN, "notifications": [f"https://u:{PASSWORD}@example.net/h"]},
        ),
    )
    run_submission(made.job.pk)
    hook = reverse("jobs:webhook", args=["zencoder", account.pk, account.hook_secret])
    for secret in (HOOK_SECRET, f"{HOOK_SECRET}-wrong"):
        client.post(
            hook,
            {
                "job": {"id": 501, "state": "finished"},
                "output": {"url": SIGNED},
                "api_key": API_KEY,
            },
            content_type="application/json",
            headers={"X-Zencoder-Notification-Secret": secret, "Authorization": f"Bearer {TOKEN}"},
        )
    for delivery in WebhookDelivery.objects.all():
        handle_delivery(delivery.pk)
    return account


def pages(organization: Organization, account: ProviderAccount) -> list[str]:
    slug = organization.slug
    jobs = Job.objects.order_by("pk")
    return [
        reverse("jobs:list", args=[slug]),
        reverse("jobs:list", args=[slug]) + "?status=failed&q=reel",
        *(reverse(f"jobs:{name}", args=[slug]) for name in ("new", "accounts", "files", "presets")),
        reverse("jobs:deliveries", args=[slug, account.pk]),
        *(
            reverse("jobs:delivery", args=[slug, account.pk, delivery.pk])
            for delivery in WebhookDelivery.objects.all()
        ),
        reverse("jobs:account_edit", args=[slug, account.pk]),
        *(
            reverse(f"jobs:{name}", args=[slug, job.pk])
            for job in jobs
            for name in ("detail", "raw")
        ),
    ]


def api_calls(account: ProviderAccount) -> list[str]:
    jobs = Job.objects.order_by("pk")
    return [
        "/api/v1/jobs",
        "/api/v1/accounts",
        "/api/v1/files",
        "/api/v1/files?kind=image",
        "/api/v1/presets",
        f"/api/v1/accounts/{account.pk}",
        *(f"/api/v1/jobs/{job.pk}{tail}" for job in jobs for tail in ("", "/raw")),
    ]


@pytest.mark.ignore_template_errors
def test_no_planted_secret_comes_out_anywhere(
    zencoder: FakeZencoder, log: StringIO, organization: Organization, client: Client
) -> None:
    plant(zencoder)
    account = mirror_and_act(organization, client)
    assert Job.objects.filter(remote_id__in=["501", "502", "503"]).count() == 3
    assert Job.objects.filter(submission__isnull=False, remote_id__isnull=False).exists()

    user = make_user(is_staff=True)
    user.is_superuser = True
    user.save(update_fields=["is_superuser"])
    make_membership(organization, Role.MANAGER, user=user)
    client.force_login(user)
    seen: dict[str, Any] = {}
    for url in [*pages(organization, account), *admin_pages()]:
        response = client.get(url)
        assert response.status_code == 200, url
        seen[url] = response.content.decode() + str(dict(response.headers))
    _, token = ApiToken.issue(organization, "canary test", Scope.READ)
    for url in api_calls(account):
        response = client.get(url, headers={"Authorization": f"Bearer {token}"})
        assert response.status_code == 200, url
        seen[url] = response.content.decode()
    for number, (table, row) in enumerate(stored_rows()):
        seen[f"{table} {number}"] = row
    seen["log"] = log.getvalue()

    # the token's own name is the one canary that is meant to be seen
    found = {
        place: [leak for leak in leaks(text, CANARIES) if "canary test" not in leak]
        for place, text in seen.items()
    }
    assert {place: some for place, some in found.items() if some} == {}
    assert seen["log"]


def test_the_signed_link_still_opens_for_a_member_and_for_nobody_else(
    zencoder: FakeZencoder, organization: Organization, client: Client
) -> None:
    plant(zencoder)
    mirror_and_act(organization, client)
    output = Job.objects.get(remote_id="501").outputs.order_by("position")[0]
    url = reverse("jobs:output_open", args=[organization.slug, output.job_id, output.pk])
    stranger = make_user()
    make_membership(make_organization(), Role.OWNER, user=stranger)
    client.force_login(stranger)
    assert client.get(url).status_code == 404
    member = make_membership(organization, Role.VIEWER).user
    client.force_login(member)
    response = client.get(url)
    assert response.status_code == 302
    assert response["Location"] == SIGNED
    assert response["Referrer-Policy"] == "no-referrer"
