"""Where the entries of the audit log come from, and what ties them together."""

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from organizations.audit.origin import Origin, acting_from
from organizations.models import ApiToken, AuditEntry, Role, Scope
from tests.factories import make_membership, make_organization
from tests.jobs.factories import make_account, make_job

pytestmark = pytest.mark.django_db


def test_an_entry_names_the_client_and_the_request_that_the_logs_name(client: Client) -> None:
    account = make_account(make_organization())
    client.force_login(make_membership(account.organization, Role.MANAGER).user)
    path = reverse("jobs:account_pause", args=[account.organization.slug, account.pk])

    response = client.post(path, REMOTE_ADDR="203.0.113.7")

    entry = AuditEntry.objects.about(account).get()
    assert (entry.address, entry.action_id) == ("203.0.113.7", response["X-Request-Id"])


def test_a_token_is_named_by_its_name_and_its_call_by_the_id_that_it_sent(client: Client) -> None:
    job = make_job(make_account(make_organization()), status="running")
    token, text = ApiToken.issue(job.organization, "nightly", Scope.OPERATE)
    headers = {"Authorization": f"Bearer {text}", "X-Request-Id": "night-4711"}

    client.post(f"/api/v1/jobs/{job.pk}/cancel", headers=headers)

    entry = AuditEntry.objects.about(job).get()
    assert (entry.actor_name, entry.token_id, entry.actor_id) == ("token:nightly", token.pk, None)
    assert entry.action_id == "night-4711"


@pytest.mark.parametrize("sent", ["not an address", "", "203.0.113.7, evil"])
def test_an_address_that_is_none_stops_nothing(
    client: Client, settings: Settings, sent: str
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    account = make_account(make_organization())
    client.force_login(make_membership(account.organization, Role.MANAGER).user)
    path = reverse("jobs:account_pause", args=[account.organization.slug, account.pk])
    client.post(path, headers={"X-Forwarded-For": sent})
    assert AuditEntry.objects.about(account).get().address in {None, "127.0.0.1"}


def test_entries_of_one_action_share_its_id() -> None:
    organization = make_organization()
    with acting_from(Origin(action_id="bulk-7")):
        entries = [AuditEntry.record(organization, "job.cancelled", f"job {n}") for n in range(2)]
    apart = AuditEntry.record(organization, "job.cancelled", "job 3")
    assert {entry.action_id for entry in entries} == {"bulk-7"}
    assert apart.action_id != "bulk-7"
