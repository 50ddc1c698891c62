"""API tokens: made once, shown once, ended for good."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import Job, ProviderAccount
from organizations.models import ApiToken, AuditEntry, Organization, Scope
from tests.jobs.factories import make_account

pytestmark = pytest.mark.django_db

PAGE = "/o/harbour-studio/settings/tokens/"
NIGHTLY = {"name": "nightly", "scope": "operate", "reach": "all", "expires": "30"}


def test_a_token_is_shown_once_and_opens_what_was_chosen(
    manager: Client, studio: Organization, account: ProviderAccount
) -> None:
    other = make_account(studio, name="West")
    values = {**NIGHTLY, "reach": "some", "accounts": [str(account.pk)]}
    response = manager.post(PAGE, values)
    page = response.content.decode()
    (text,) = re.findall(r"<code>(rb_[\w-]{40,})</code>", page)
    assert "no-store" in response["Cache-Control"]
    token = ApiToken.authenticate(text)
    assert token is not None
    assert (token.name, token.scope) == ("nightly", Scope.OPERATE)
    assert token.account_ids == [account.pk]
    assert token.expires_at is not None
    assert timedelta(days=29) < token.expires_at - timezone.now() <= timedelta(days=30)
    assert token.created_by is not None
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id) == ("token.created", token.created_by_id)

    listed = manager.get(PAGE).content.decode()
    assert text not in listed
    assert token.prefix in listed
    row = listed.partition(f"<bdi>{token.prefix}</bdi>…")[2].partition("</tr>")[0]
    assert account.name in row
    assert other.name not in row


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scope": "root"}, "scope"),
        ({"reach": "some"}, "accounts"),
        ({"reach": "all", "accounts": ["ours"]}, "reach"),
        ({"reach": "some", "accounts": ["theirs"]}, "accounts"),
        ({"expires": "99999"}, "expires"),
    ],
)
def test_what_cannot_be_a_token_is_said_at_its_field(
    manager: Client,
    account: ProviderAccount,
    foreign_job: Job,
    values: dict[str, object],
    field: str,
) -> None:
    ids = {"ours": str(account.pk), "theirs": str(foreign_job.account_id)}
    given = {**NIGHTLY, **values}
    if "accounts" in given:
        given["accounts"] = [ids[name] for name in given["accounts"]]  # type: ignore[attr-defined]
    response = manager.post(PAGE, given)
    assert response.status_code == 422
    assert field in response.context["form"].errors
    assert not ApiToken.objects.exists()


def test_a_token_is_revoked_after_a_question(manager: Client, studio: Organization) -> None:
    token, text = ApiToken.issue(studio, "old-cron")
    path = f"{PAGE}{token.pk}/revoke/"
    assert "Revoke <bdi>old-cron</bdi>?" in manager.get(path).content.decode()
    assert ApiToken.authenticate(text)
    page = manager.post(path, follow=True).content.decode()
    manager.post(path)  # a second tab
    assert ApiToken.authenticate(text) is None
    assert [entry.action for entry in AuditEntry.objects.all()] == ["token.revoked"]
    assert "Revoked <time" in page
    assert f"{path}" not in page
