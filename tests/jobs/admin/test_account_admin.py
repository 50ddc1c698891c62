"""Provider accounts in the admin: write-only credentials, pause, resume, sync now, delete."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from jobs.models import Job, ProviderAccount
from organizations.models import AuditEntry
from tests.factories import make_organization
from tests.jobs.factories import NOON, make_account, make_job

pytestmark = [pytest.mark.django_db, pytest.mark.database]

LIST = "admin:jobs_provideraccount_changelist"
ADD = "admin:jobs_provideraccount_add"
CHANGE = "admin:jobs_provideraccount_change"

SETTINGS = {"base_url": "https://app.zencoder.com/api/v2", "enabled": "on"}


def change(client: Client, account: ProviderAccount, **fields: str) -> Any:
    return client.post(reverse(CHANGE, args=[account.pk]), SETTINGS | fields)


def test_an_account_is_added_paused_and_then_given_its_credentials(admin_client: Client) -> None:
    organization = make_organization("north")
    response = admin_client.post(
        reverse(ADD), {"organization": organization.pk, "provider": "zencoder", "name": "new"}
    )
    account = ProviderAccount.objects.get()
    assert response["Location"] == reverse(CHANGE, args=[account.pk])
    assert not account.enabled
    assert account.base_url == "https://app.zencoder.com/api/v2"
    response = change(admin_client, account, api_key="entered-key")
    assert response.status_code == 302
    account = ProviderAccount.objects.get()
    assert account.enabled
    assert account.credentials == {"api_key": "entered-key"}
    actions = AuditEntry.objects.order_by("pk").values_list("action", flat=True)
    assert list(actions) == ["account.added", "account.changed"]


def test_a_name_that_is_taken_is_refused(admin_client: Client, account: ProviderAccount) -> None:
    response = admin_client.post(
        reverse(ADD),
        {"organization": account.organization_id, "provider": "zencoder", "name": "main"},
    )
    assert response.status_code == 200
    assert ProviderAccount.objects.count() == 1


def test_there_is_an_empty_password_field_for_each_credential(
    admin_client: Client, account: ProviderAccount
) -> None:
    page = admin_client.get(reverse(CHANGE, args=[account.pk])).content.decode()
    for name in ("api_key", "webhook_secret"):
        (field,) = [part for part in page.split("<input") if f'name="{name}"' in part]
        assert 'type="password"' in field
        assert "value=" not in field.partition(">")[0]


def test_an_empty_credential_keeps_the_stored_one(
    admin_client: Client, account: ProviderAccount
) -> None:
    change(admin_client, account, api_key="entered-key", webhook_secret="")
    assert ProviderAccount.objects.get().credentials == {
        "api_key": "entered-key",
        "webhook_secret": "canary-webhook",
    }


def test_what_was_entered_is_neither_shown_again_nor_logged(
    admin_client: Client, account: ProviderAccount
) -> None:
    failed = change(admin_client, account, api_key="canary-entered", base_url="no address")
    assert failed.status_code == 200
    assert "canary" not in failed.content.decode()
    change(admin_client, account, api_key="canary-entered")
    assert "canary" not in str(list(LogEntry.objects.values()))
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_name) == ("account.changed", "root@studio.example")
    assert "api_key" in str(entry.details)
    assert "canary" not in str(entry.details)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"base_url": "ftp://app.zencoder.com"}, "plain http or https URL"),
        ({"base_url": "https://user:pw@app.zencoder.com"}, "plain http or https URL"),
        ({"interval_s": "soon"}, "whole number"),
    ],
)
def test_what_makes_no_account_is_reported_at_the_field_and_changes_nothing(
    admin_client: Client, account: ProviderAccount, fields: dict[str, str], sentence: str
) -> None:
    response = change(admin_client, account, api_key="entered-key", **fields)
    assert response.status_code == 200
    assert sentence in response.content.decode()
    assert ProviderAccount.objects.get().credentials["api_key"] == "canary-key"
    assert not AuditEntry.objects.exists()


def test_options_are_kept_as_entered(admin_client: Client, account: ProviderAccount) -> None:
    change(admin_client, account, interval_s="30")
    assert ProviderAccount.objects.get().options == {"interval_s": "30"}
    page = admin_client.get(reverse(CHANGE, args=[account.pk])).content.decode()
    (field,) = [part for part in page.split("<input") if 'name="interval_s"' in part]
    assert 'value="30"' in field
    change(admin_client, account, interval_s="")
    assert ProviderAccount.objects.get().options == {}


def test_saving_leaves_alone_what_the_worker_writes_and_what_is_fixed(
    admin_client: Client, account: ProviderAccount
) -> None:
    ProviderAccount.objects.update(revision=41, last_error_at=NOON)
    change(
        admin_client,
        account,
        revision="1",
        last_error_at="",
        name="renamed",
        provider="other",
        organization=str(make_organization().pk),
    )
    after = ProviderAccount.objects.get()
    assert (after.revision, after.last_error_at) == (41, NOON)
    assert (after.name, after.provider) == ("main", "zencoder")
    assert after.organization_id == account.organization_id


def test_when_their_key_is_lost_credentials_can_be_entered_anew(
    admin_client: Client, account: ProviderAccount, settings: Any
) -> None:
    settings.CREDENTIALS_KEYS = ["another-key-that-opens-none-of-what-is-stored"]
    refused = change(admin_client, account)
    assert refused.status_code == 200
    assert "Zencoder needs API key." in refused.content.decode()
    assert change(admin_client, account, api_key="entered-key").status_code == 302
    assert ProviderAccount.objects.get().credentials == {"api_key": "entered-key"}


def run_action(client: Client, name: str, *accounts: ProviderAccount) -> str:
    response = client.post(
        reverse(LIST),
        {"action": name, "_selected_action": [account.pk for account in accounts]},
        follow=True,
    )
    assert response.status_code == 200
    return response.content.decode()


def test_accounts_are_paused_and_resumed(admin_client: Client, account: ProviderAccount) -> None:
    other = make_account(account.organization)
    assert "Paused 1 account." in run_action(admin_client, "pause", account)
    account.refresh_from_db()
    other.refresh_from_db()
    assert (account.enabled, other.enabled) == (False, True)
    run_action(admin_client, "resume", account, other)
    account.refresh_from_db()
    assert account.enabled
    assert AuditEntry.objects.filter(action="account.paused").count() == 1


def test_sync_now_makes_running_accounts_due(
    admin_client: Client, account: ProviderAccount
) -> None:
    paused = make_account(account.organization, enabled=False)
    later = timezone.now() + timedelta(hours=1)
    ProviderAccount.objects.update(next_sync_at=later)
    page = run_action(admin_client, "sync_now", account, paused)
    account.refresh_from_db()
    paused.refresh_from_db()
    assert account.next_sync_at <= timezone.now()
    assert paused.next_sync_at == later
    assert "1 account paused: resume first." in page


def test_deleting_asks_without_listing_every_job(
    admin_client: Client, account: ProviderAccount
) -> None:
    job = make_job(account)
    path = reverse("admin:jobs_provideraccount_delete", args=[account.pk])
    page = admin_client.get(path).content.decode()
    assert "main, with all of its jobs" in page
    assert job.name not in page
    assert admin_client.post(path, {"post": "yes"}).status_code == 302
    assert not ProviderAccount.objects.exists()
    assert not Job.objects.exists()
