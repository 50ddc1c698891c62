"""Jobs that are submitted here carry our webhook URL, which nobody reads anywhere else."""

import json
from typing import Any

import pytest
import responses
from django.test import Client
from pytest_django import Settings

from jobs.accounts.service import check_account, write_account
from jobs.accounts.validation import AccountInput, InvalidAccount
from jobs.accounts.webhook_urls import job_webhook_url, webhook_url
from jobs.models import Job, JobBody, ProviderAccount, Submission
from jobs.submission.duplicates import DuplicateJob
from jobs.submission.service import submit
from jobs.submission.validation import preview
from jobs.submission.worker import run_submission
from jobs.sync.runner import sync_account
from organizations.models import Organization, Role
from providers.core.types import JobRequest, Rendition
from tests.factories import make_membership
from tests.jobs.factories import end_pauses, make_account
from tests.jobs.fake_zencoder import FakeZencoder

pytestmark = pytest.mark.django_db

VIDEOSDK = "https://api.videosdk.live/v1"


def make_request(**extra: Any) -> JobRequest:
    return JobRequest(
        input="https://media.example.com/reel.mov",
        renditions=(Rendition("mp4", (360,)),),
        extra=extra,
    )


@pytest.fixture(autouse=True)
def public(settings: Settings) -> None:
    settings.BASE_URL = "https://board.example.org"


def send(account: ProviderAccount, request: JobRequest) -> Job:
    job = submit(organization=account.organization, account=account, request=request).job
    run_submission(job.pk)
    job.refresh_from_db()
    return job


def test_a_job_carries_the_url_and_shows_it_nowhere(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    job = send(account, make_request())
    [body] = zencoder.sent
    assert body["notifications"] == [webhook_url(account)]
    assert webhook_url(account).startswith("https://board.example.org/hooks/zencoder/")

    # some providers repeat what was sent
    zencoder.jobs[int(job.remote_id or 0)]["notifications"] = body["notifications"]
    sync_account(account.pk)
    job.refresh_from_db()
    member = Client()
    member.force_login(make_membership(account.organization, Role.OWNER).user)
    shown = [
        json.dumps(JobBody.objects.get(job=job).value),
        json.dumps([job.request, job.metadata, preview(account, make_request())]),
        json.dumps(Submission.objects.get(pk=job.pk).request),
        member.get(f"/o/{account.organization.slug}/jobs/{job.pk}/").content.decode(),
        member.get(f"/o/{account.organization.slug}/jobs/{job.pk}/raw/").content.decode(),
    ]
    assert not [text for text in shown if account.hook_secret in text]
    assert "notifications" in shown[0]


def test_the_key_and_the_check_for_duplicates_know_nothing_of_it(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.loses_answers_of.add("create")
    job = send(account, make_request())
    assert (job.status, len(zencoder.jobs)) == ("submitting", 1)
    end_pauses()
    sync_account(account.pk)
    job.refresh_from_db()
    assert job.remote_id  # found by its key
    ProviderAccount.objects.update(options={"send_webhook_url": "off"})
    account.refresh_from_db()
    with pytest.raises(DuplicateJob):
        send(account, make_request())


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (["https://x.example/1"], ["https://x.example/1", "OURS"]),
        ("https://x.example/1", ["https://x.example/1", "OURS"]),
        ([{"url": "OURS", "format": "json"}], [{"url": "OURS", "format": "json"}]),
        (
            [f"https://x.example/{n}" for n in range(5)],
            [f"https://x.example/{n}" for n in range(5)],
        ),
    ],
)
def test_it_comes_beside_those_that_were_entered(
    account: ProviderAccount, zencoder: FakeZencoder, given: Any, sent: Any
) -> None:
    def ours(value: Any) -> Any:
        return json.loads(json.dumps(value).replace("OURS", webhook_url(account)))

    send(account, make_request(notifications=ours(given)))
    assert zencoder.sent[0]["notifications"] == ours(sent)


@pytest.mark.parametrize("entered", [None, "https://x.example/hook"])
def test_video_sdk_takes_one(organization: Organization, entered: str | None) -> None:
    account = make_account(
        organization, provider="videosdk", base_url=VIDEOSDK, credentials={"token": "a-token"}
    )
    with responses.RequestsMock() as wire:
        answer = {"id": "69f86a000000000000000001", "status": "queued"}
        call = wire.post(f"{VIDEOSDK}/encoder/jobs", json=answer)
        send(account, make_request(**({"webhookUrl": entered} if entered else {})))
    body = json.loads(call.calls[0].request.body)
    assert body["webhookUrl"] == (entered or webhook_url(account))


@pytest.mark.parametrize(
    ("board", "provider", "option", "is_sent"),
    [
        ("https://board.example.org", "https://app.zencoder.com/api/v2", None, True),
        ("https://board.example.org", "https://app.zencoder.com/api/v2", "off", False),
        ("http://127.0.0.1:8000", "https://app.zencoder.com/api/v2", None, False),
        ("http://127.0.0.1:8000", "https://app.zencoder.com/api/v2", "on", True),
        ("http://127.0.0.1:8000", "http://127.0.0.1:9000/zencoder/api/v2", None, True),
        ("http://localhost:8000", "http://localhost:9000/zencoder/api/v2", None, True),
        ("http://10.1.2.3", "http://10.1.2.4/api/v2", None, False),
        ("http://[::1]:8000", "http://[::1]:9000/api/v2", None, True),
        ("http://board", "https://app.zencoder.com/api/v2", None, False),
        ("https://board.corp.internal", "https://app.zencoder.com/api/v2", None, False),
    ],
)
def test_whether_it_is_sent(
    organization: Organization,
    settings: Settings,
    board: str,
    provider: str,
    option: str | None,
    is_sent: bool,
) -> None:
    settings.BASE_URL = board
    options = {"send_webhook_url": option} if option else {}
    account = make_account(organization, base_url=provider, options=options)
    assert bool(job_webhook_url(account)) == is_sent


def test_a_provider_that_takes_none_gets_none(organization: Organization) -> None:
    account = make_account(organization, provider="xvid", credentials={}, options={})
    assert job_webhook_url(account) == ""
    values = AccountInput(organization, "xvid", account.name, options={"send_webhook_url": "on"})
    with pytest.raises(InvalidAccount, match="There is no option send_webhook_url"):
        check_account(values)


def test_the_setting_is_on_or_off(account: ProviderAccount) -> None:
    def values(value: str) -> AccountInput:
        options = {"send_webhook_url": value}
        return AccountInput(account.organization, "zencoder", account.name, options=options)

    with pytest.raises(InvalidAccount, match="Choose on or off"):
        check_account(values("maybe"))
    saved = write_account(values("off"), check_account(values("off")), user=None)
    assert saved.options["send_webhook_url"] == "off"


def test_the_form_stores_only_what_differs(account: ProviderAccount) -> None:
    member = Client()
    member.force_login(make_membership(account.organization, Role.MANAGER).user)
    path = f"/o/{account.organization.slug}/accounts/{account.pk}/"
    assert "Send our webhook URL with each job" in member.get(path).content.decode()
    for sent, stored in (({"send_webhook_url": "on"}, None), ({}, "off")):
        assert member.post(path, {"base_url": account.base_url, **sent}).status_code == 302
        account.refresh_from_db()
        assert account.options.get("send_webhook_url") == stored
