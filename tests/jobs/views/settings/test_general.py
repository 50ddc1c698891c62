"""The organization's own settings."""

import pytest
from django.test import Client

from jobs.models import ProviderAccount
from organizations.models import AuditEntry, Organization
from tests.factories import make_organization
from tests.jobs.factories import make_account

SETTINGS = "/o/harbour-studio/settings/"

pytestmark = pytest.mark.django_db


def test_an_owner_changes_them_and_the_audit_log_says_what(
    owner: Client, operator: Client, studio: Organization, account: ProviderAccount
) -> None:
    second = make_account(studio, name="A second")
    form = {"name": "Quay", "time_zone": "Asia/Tokyo", "default_account": account.pk}
    assert owner.post(SETTINGS, form)["Location"] == SETTINGS
    assert owner.post(SETTINGS, form)["Location"] == SETTINGS
    assert operator.get("/o/harbour-studio/jobs/new/").context["form"].chosen == account
    assert owner.post(SETTINGS, form | {"default_account": second.pk})["Location"] == SETTINGS
    assert operator.get("/o/harbour-studio/jobs/new/").context["form"].chosen == second

    studio.refresh_from_db()
    assert (studio.name, studio.time_zone, studio.slug) == ("Quay", "Asia/Tokyo", "harbour-studio")
    last, first = AuditEntry.objects.for_organization(studio)
    assert (last.before, last.after) == (
        {"default_account": account.name}, {"default_account": second.name},
    )  # fmt: skip
    assert first.before == {"name": "Harbour Studio", "time_zone": "UTC", "default_account": ""}

    owner.post(SETTINGS, form | {"default_account": ""})
    assert not ProviderAccount.objects.filter(is_default=True).exists()


def test_what_is_no_choice_is_refused(owner: Client, studio: Organization) -> None:
    foreign = make_account(make_organization("elsewhere"))
    form = {"name": "Quay", "time_zone": "UTC", "default_account": ""}
    for odd in ({"name": ""}, {"time_zone": "Mars/Olympus"}, {"default_account": foreign.pk}):
        answer = owner.post(SETTINGS, form | odd)
        assert answer.status_code == 422
        assert "Harbour Studio" in answer.content.decode()
    studio.refresh_from_db()
    assert studio.name == "Harbour Studio"
    assert not ProviderAccount.objects.filter(is_default=True).exists()


def test_a_manager_sees_them_and_cannot_change_them(manager: Client, studio: Organization) -> None:
    assert "<fieldset" in manager.get(SETTINGS).content.decode()
    assert "Only an owner" in manager.get(SETTINGS).content.decode()
    assert manager.post(SETTINGS, {"name": "Mine", "time_zone": "UTC"}).status_code == 403
    studio.refresh_from_db()
    assert studio.name == "Harbour Studio"
