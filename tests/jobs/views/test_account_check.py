"""Saving an account asks its provider about the credentials, for a moment."""

from collections.abc import Iterator
from io import StringIO
from threading import Event
from typing import Any

import pytest
import requests
import responses
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from jobs.accounts import interactive
from jobs.models import HealthState, ProviderAccount, ProviderHost
from jobs.sync.runner import sync_account
from organizations.models import Organization
from tests.jobs.factories import NOON, make_account
from tests.waiting import PATIENCE_S

ACCOUNTS = "/o/harbour-studio/accounts/"
NEW = f"{ACCOUNTS}new/?provider=zencoder"
API = "https://app.zencoder.com/api/v2"
EAST = {"name": "Zencoder east", "api_key": "k-123456"}


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


def test_accepted_credentials_make_a_working_account(
    manager: Client, wire: responses.RequestsMock
) -> None:
    wire.get(f"{API}/account", json={"plan": "Studio"})
    assert manager.post(NEW, EAST).status_code == 302
    account = ProviderAccount.objects.get()
    assert account.health == HealthState.OK
    # so that its first pass and submission need not wait for the small share of doubtful hosts
    assert ProviderHost.objects.healthy().get().name == account.host


def test_refused_credentials_are_reported_at_their_field_and_not_saved(
    manager: Client, wire: responses.RequestsMock
) -> None:
    wire.get(f"{API}/account", status=401, json={"errors": ["Invalid API key"]})
    response = manager.post(NEW, EAST)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["api_key"]
    assert "k-123456" not in response.content.decode()
    assert not ProviderAccount.objects.exists()


def test_another_way_to_sign_in_replaces_the_one_before(
    studio: Organization, manager: Client, wire: responses.RequestsMock
) -> None:
    api = "https://api.xvid.com/v1"
    wire.get(f"{api}/jobs/", json={"jobs": []})
    wire.post(f"{api}/oauth2/token/", json={"access_token": "granted", "expires_in": 7200})
    client = {"client_id": "c", "client_secret": "s"}
    account = make_account(studio, provider="xvid", name="Xvid", base_url=api, credentials=client)
    page = f"{ACCOUNTS}{account.pk}/"
    for given in ({"token": "ready"}, client):
        values = {"name": "Xvid", "base_url": api, **given}
        assert manager.post(page, values).status_code == 302
        account.refresh_from_db()
        assert account.credentials == given
    refused = manager.post(f"{ACCOUNTS}new/?provider=xvid", {"name": "Two", "client_id": "c"})
    sentence = "Xvid MediaHub needs Client id and Client secret, or Token."
    assert refused.context["form"].errors == {"client_secret": [sentence]}


@pytest.mark.parametrize(
    "answer", [{"status": 503}, {"status": 404}, {"body": requests.ConnectTimeout()}]
)
def test_without_a_clear_answer_the_account_is_saved_as_not_checked_yet(
    manager: Client, wire: responses.RequestsMock, answer: dict[str, Any]
) -> None:
    wire.get(f"{API}/account", **answer)
    page = manager.post(NEW, EAST, follow=True).content.decode()
    assert "Its credentials could not be checked yet" in page
    assert "Not checked yet" in page
    account = ProviderAccount.objects.get()
    assert account.health == HealthState.UNCHECKED
    assert not ProviderHost.objects.exists()
    wire.get(f"{API}/jobs", json=[])
    sync_account(account.pk, foreground=True)
    account.refresh_from_db()
    assert account.health == HealthState.OK


def test_a_provider_that_never_answers_is_waited_for_no_longer_than_the_deadline(
    manager: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    over = Event()

    def hang(*args: object, **kwargs: object) -> list[object]:
        over.wait(PATIENCE_S)
        raise OSError("too late")

    monkeypatch.setattr("socket.getaddrinfo", hang)
    monkeypatch.setattr(interactive, "ANSWER_S", 0.05)
    page = manager.post(NEW, EAST, follow=True).content.decode()
    over.set()
    assert "Zencoder did not respond within" in page
    assert ProviderAccount.objects.get().health == HealthState.UNCHECKED


def test_only_changed_credentials_are_checked(
    manager: Client, studio: Organization, wire: responses.RequestsMock
) -> None:
    account = make_account(studio, refused_at=NOON)
    edit = reverse("jobs:account_edit", args=["harbour-studio", account.pk])
    assert manager.post(edit, {"interval_s": "40"}).status_code == 302
    assert not wire.calls
    wire.get(f"{API}/account", status=503)
    assert manager.post(edit, {"api_key": "k-new"}).status_code == 302
    account.refresh_from_db()
    assert (account.credentials, account.health) == ({"api_key": "k-new"}, HealthState.UNCHECKED)


def test_the_command_saves_what_the_provider_refuses_and_says_so(
    studio: Organization, wire: responses.RequestsMock
) -> None:
    """A script adds accounts in any order with their providers' set-up; the state is true."""
    wire.get(f"{API}/account", status=401, json={"errors": ["Invalid API key"]})
    reported, warned = StringIO(), StringIO()
    phrase = ("--organization=harbour-studio", "--provider=zencoder", "--name=East")
    call_command("add_account", *phrase, "--credential=api_key=k-1", stdout=reported, stderr=warned)
    assert "it will not sync" in warned.getvalue()
    assert "k-1" not in warned.getvalue()
    assert ProviderAccount.objects.get().health == HealthState.REFUSED


@pytest.mark.django_db(transaction=True)
def test_no_transaction_is_open_while_the_provider_is_asked(
    admin_client: Client, studio: Organization, wire: responses.RequestsMock
) -> None:
    account = make_account(studio)
    seen = []

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        # on SQLite it fails while another connection holds the lock for writing
        ProviderAccount.objects.filter(pk=account.pk).update(latency_ms=7)
        connection.close()
        seen.append(request.url)
        return 200, {}, "{}"

    wire.add_callback("GET", f"{API}/account", callback=answer)
    change = reverse("admin:jobs_provideraccount_change", args=[account.pk])
    values = {"base_url": API, "enabled": "on", "api_key": "k-new"}
    assert admin_client.post(change, values).status_code == 302
    assert seen
