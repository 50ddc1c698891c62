"""Deliveries: which are authentic, what is kept, and the one job that is refreshed."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.models import Job, JobEvent, ProviderAccount, WebhookDelivery
from jobs.models.webhook import EXPIRY
from jobs.webhooks.handler import handle_delivery
from jobs.webhooks.receiver import MAX_BODY
from organizations.models import Organization
from tests.jobs.factories import NOON, make_account, make_job
from tests.jobs.fake_zencoder import FakeZencoder, body_of, failing

pytestmark = pytest.mark.django_db

SECRET = "notification-secret-of-ours"


@pytest.fixture
def guarded(account: ProviderAccount) -> ProviderAccount:
    account.credentials = {**account.credentials, "webhook_secret": SECRET}
    account.save()
    return account


def deliver(
    account: ProviderAccount, body: Any, *, path_secret: str | None = None, **headers: str
) -> int:
    url = reverse(
        "jobs:webhook", args=[account.provider, account.pk, path_secret or account.hook_secret]
    )
    sent = {"X-Zencoder-Notification-Secret": SECRET} | headers
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    client = Client(enforce_csrf_checks=True)
    return client.post(url, data, content_type="application/json", headers=sent).status_code


def note(number: int, state: str = "finished", **fields: Any) -> dict[str, Any]:
    body = body_of(number, state)
    return {"job": body, "outputs": body["output_media_files"], **fields}


def test_a_delivery_is_accepted_stored_and_handled_by_reading_the_job(
    guarded: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.add(71, "processing")
    zencoder.add(72)
    job = make_job(guarded, remote_id="71", status="queued")
    bystander = make_job(guarded, remote_id="72", status="running")
    assert deliver(guarded, note(71)) == 200
    delivery = WebhookDelivery.objects.get()
    assert (delivery.verdict, delivery.remote_id, delivery.handled_at) == ("accepted", "71", None)
    handle_delivery(delivery.pk)
    job.refresh_from_db()
    bystander.refresh_from_db()
    # as the provider reports it when asked: what the body says is ignored
    assert (job.status, bystander.status) == ("running", "running")
    assert zencoder.asked["details"] == 1
    assert JobEvent.objects.get(to_status="running").source == "webhook"
    delivery.refresh_from_db()
    assert delivery.handled_at


def test_a_repeat_is_accepted_and_read_once(
    guarded: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.add(71)
    for _ in range(3):
        assert deliver(guarded, note(71)) == 200
    for delivery in WebhookDelivery.objects.all():
        handle_delivery(delivery.pk)
    assert zencoder.asked["details"] == 1
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "headers", "stored"),
    [
        (note(71), {"X-Zencoder-Notification-Secret": "guessed"}, 1),
        (note(71), {"X-Zencoder-Notification-Secret": ""}, 1),
        (b"{not json", {}, 1),
        (b"[]", {}, 1),
        (b"\xff\xfe", {}, 1),
    ],
)
def test_what_is_not_authentic_or_not_readable_is_refused_and_kept(
    guarded: ProviderAccount, body: Any, headers: dict[str, str], stored: int
) -> None:
    assert deliver(guarded, body, **headers) == 400
    assert WebhookDelivery.objects.filter(verdict="refused").count() == stored
    assert not WebhookDelivery.objects.due(timezone.now()).exists()


def test_a_wrong_url_is_refused_and_leaves_nothing(
    guarded: ProviderAccount, organization: Organization
) -> None:
    other = make_account(organization)
    assert deliver(guarded, note(71), path_secret="wrong") == 400
    assert deliver(guarded, note(71), path_secret=other.hook_secret) == 400
    path = reverse("jobs:webhook", args=["zencoder", 10**6, guarded.hook_secret])
    assert Client().post(path, b"{}", content_type="application/json").status_code == 400
    path = reverse("jobs:webhook", args=["xvid", guarded.pk, guarded.hook_secret])
    assert Client().post(path, b"{}", content_type="application/json").status_code == 400
    assert not WebhookDelivery.objects.exists()


def test_a_large_delivery_is_refused_as_too_large(guarded: ProviderAccount) -> None:
    assert deliver(guarded, b" " * (MAX_BODY + 1)) == 413
    assert not WebhookDelivery.objects.exists()


def test_only_a_post_is_a_delivery(guarded: ProviderAccount) -> None:
    path = reverse("jobs:webhook", args=["zencoder", guarded.pk, guarded.hook_secret])
    assert Client().get(path).status_code == 405


def test_an_event_that_is_about_no_job_is_accepted(guarded: ProviderAccount) -> None:
    assert deliver(guarded, {"event": "live.started"}) == 200
    delivery = WebhookDelivery.objects.get()
    assert delivery.verdict == "ignored"
    assert delivery.handled_at


def test_no_secret_is_stored(guarded: ProviderAccount) -> None:
    hook = f"https://board.example/hooks/zencoder/{guarded.pk}/{guarded.hook_secret}/"
    deliver(
        guarded,
        note(
            71,
            url="https://user:word@b.example/a.mp4?Signature=abcdef0123",
            notifications=[hook],
            echoed=guarded.credentials["api_key"],
        ),
        Authorization="Bearer not-to-be-kept",
        Cookie="session=not-to-be-kept",
    )
    stored = str(WebhookDelivery.objects.values().get())
    for secret in (SECRET, guarded.hook_secret, "not-to-be-kept", "word@", "abcdef0123", "key-of"):
        assert secret not in stored
    assert WebhookDelivery.objects.get().headers["content-type"] == "application/json"


def test_hostile_bodies_are_stored(guarded: ProviderAccount) -> None:
    body = note(71, odd="\x00\ud800") | {"padding": ["x y " * 100] * 200}
    assert deliver(guarded, body) == 200
    assert len(WebhookDelivery.objects.get().body) <= 64_000


def test_a_bad_delivery_blocks_no_good_one(
    guarded: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.add(72)
    zencoder.faults["details 71"] = failing(500)
    deliver(guarded, note(71))
    deliver(guarded, b"{")
    deliver(guarded, note(72))
    for delivery in WebhookDelivery.objects.due(timezone.now()):
        handle_delivery(delivery.pk)
    assert Job.objects.get().remote_id == "72"
    assert WebhookDelivery.objects.get(remote_id="71").handled_at is None


def test_when_the_provider_is_down_the_job_is_read_later_once_for_all(
    guarded: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.faults["details"] = failing(503)
    with time_machine.travel(NOON, tick=False) as clock:
        for _ in range(4):
            deliver(guarded, note(71))
        for _ in range(2):
            for delivery in WebhookDelivery.objects.all():
                handle_delivery(delivery.pk)
        assert zencoder.asked["details"] == 1
        assert not WebhookDelivery.objects.due(timezone.now()).exists()
        zencoder.faults.clear()
        zencoder.add(71)
        clock.shift(31)
        for delivery in WebhookDelivery.objects.due(timezone.now()):
            handle_delivery(delivery.pk)
        assert zencoder.asked["details"] == 2
        assert not WebhookDelivery.objects.filter(handled_at=None).exists()
        deliver(guarded, note(71))
        clock.shift(EXPIRY + timedelta(seconds=1))
        assert not WebhookDelivery.objects.due(timezone.now()).exists()


def test_a_vanished_job_is_gone(guarded: ProviderAccount, zencoder: FakeZencoder) -> None:
    job = make_job(guarded, remote_id="71", status="running")
    deliver(guarded, note(71))
    handle_delivery(WebhookDelivery.objects.get().pk)
    job.refresh_from_db()
    assert job.gone_at


def test_a_paused_account_stores_and_waits(
    guarded: ProviderAccount, zencoder: FakeZencoder
) -> None:
    ProviderAccount.objects.update(enabled=False)
    assert deliver(guarded, note(71)) == 200
    handle_delivery(WebhookDelivery.objects.get().pk)
    assert zencoder.asked == {}


def test_no_secret_is_stored_of_a_body_with_escapes(guarded: ProviderAccount) -> None:
    hook = rf"https:\/\/board.example\/hooks\/zencoder\/{guarded.pk}\/{guarded.hook_secret}\/"
    body = json.dumps(note(71))[:-1] + (
        r', "url": "sftp:\/\/bob:hunter22@h.example\/a.mp4",'
        r' "link": "https:\/\/h.example\/a.mp4?a=1\u0026key=abcdef0123",'
        r' "\u0070assword": "hunter23", "words": "\u0070assword=hunter24",'
        rf' "notifications": ["{hook}"]}}'
    )
    assert deliver(guarded, body.encode()) == 200
    stored = WebhookDelivery.objects.get().body
    assert "h.example/a.mp4" in stored
    for secret in ("hunter22", "hunter23", "hunter24", "abcdef0123", guarded.hook_secret):
        assert secret not in stored
