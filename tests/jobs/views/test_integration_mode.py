"""Integration mode: shown as the provider reports it, switched by a manager who confirms."""

import json
from collections.abc import Iterator
from io import StringIO

import pytest
import responses
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from jobs.models import ProviderAccount
from organizations.models import AuditEntry, Organization
from tests.jobs.factories import make_account

pytestmark = pytest.mark.django_db

API = "https://app.zencoder.com/api/v2"


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        yield mock


@pytest.fixture
def page(account: ProviderAccount) -> str:
    return reverse("jobs:account_edit", args=["harbour-studio", account.pk])


def read(client: Client, path: str) -> str:
    return client.get(path, headers={"HX-Request": "true"}).content.decode()


def test_a_manager_confirms_and_switches(
    manager: Client, account: ProviderAccount, wire: responses.RequestsMock, page: str
) -> None:
    wire.get(f"{API}/account", json={"integration_mode": False})
    switched = wire.put(f"{API}/account/integration", status=204)
    assert f'hx-get="{page}integration/"' in manager.get(page).content.decode()
    text = read(manager, f"{page}integration/")
    assert "Off: new jobs are <strong>live</strong> and billed." in text
    assert f'href="{page}integration/?to=on"' in text

    question = read(manager, f"{page}integration/?to=on")
    assert "Turn integration mode on?" in question
    assert switched.call_count == 0
    answer = manager.post(f"{page}integration/switch/", {"mode": "on"}, follow=True)
    assert switched.call_count == 1
    assert "Integration mode of Zencoder main is on." in answer.content.decode()
    entry = AuditEntry.objects.get(action="account.integration_mode_switched")
    assert (entry.target, entry.details) == ("Zencoder main", {"mode": "on", "confirmed": True})
    assert "@" in entry.actor_name


def test_an_operator_sees_the_mode_and_no_switch(
    operator: Client, wire: responses.RequestsMock, page: str
) -> None:
    wire.get(f"{API}/account", json={"integration_mode": True})
    for query in ("", "?to=off"):
        text = read(operator, f"{page}integration/{query}")
        assert "On: new jobs are <strong>test jobs</strong>." in text
        assert "A manager can switch it." in text
        assert "?to=" not in text


def test_a_refusal_is_shown_and_not_recorded(
    manager: Client, wire: responses.RequestsMock, page: str
) -> None:
    wire.put(f"{API}/account/live", status=402, json={"errors": ["Set up billing."]})
    answer = manager.post(f"{page}integration/switch/", {"mode": "off"}, follow=True)
    assert "not switched. Zencoder keeps integration mode on" in answer.content.decode()
    assert not AuditEntry.objects.exists()


def test_a_lost_answer_is_recorded_as_unconfirmed(
    manager: Client, wire: responses.RequestsMock, page: str
) -> None:
    wire.put(f"{API}/account/integration", status=500)
    manager.post(f"{page}integration/switch/", {"mode": "on"})
    assert AuditEntry.objects.get().details == {"mode": "on", "confirmed": False}


def test_a_provider_without_the_mode_has_no_panel(manager: Client, studio: Organization) -> None:
    account = make_account(
        studio, provider="videosdk", base_url="https://api.example.com/v1", credentials={}
    )
    page = reverse("jobs:account_edit", args=[studio.slug, account.pk])
    assert "Integration mode" not in manager.get(page).content.decode()
    assert manager.get(f"{page}integration/").status_code == 404
    assert manager.post(f"{page}integration/switch/", {"mode": "on"}).status_code == 404


def test_the_command_switches_it(account: ProviderAccount, wire: responses.RequestsMock) -> None:
    switched = wire.put(f"{API}/account/live", status=204)
    out = StringIO()
    call_command("integration_mode", "--account", str(account.pk), "off", "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"id": str(account.pk), "integration_mode": "off"}
    assert switched.call_count == 1
    assert AuditEntry.objects.get().actor_name == "command line"
    other = make_account(account.organization, provider="xvid", credentials={})
    with pytest.raises(CommandError, match="has no integration mode"):
        call_command("integration_mode", "--account", str(other.pk), "on")
