from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.forms.models import model_to_dict
from django.test import Client
from django.utils import timezone

from jobs.models import ProviderAccount
from organizations.models import User
from organizations.models.rows import columns_of, read_rows
from tests.factories import make_organization, make_user
from tests.jobs.factories import make_account

pytestmark = pytest.mark.django_db


def test_values_are_what_django_reads() -> None:
    account = make_account(make_organization(), options={"a": [1, None]})
    columns = columns_of(ProviderAccount, "t")
    statement = f"SELECT 7 AS extra, {columns} FROM jobs_provideraccount t"  # noqa: S608
    (found,) = read_rows(ProviderAccount, statement, [])
    expected = ProviderAccount.objects.get()
    assert model_to_dict(found) == model_to_dict(expected)
    assert (found.created_at, found.credentials) == (expected.created_at, account.credentials)
    assert (found.extra, found._state.adding, found._state.db) == (7, False, "default")  # type: ignore[attr-defined]


def test_columns_that_are_not_selected_are_deferred() -> None:
    user = make_user()
    (found,) = read_rows(User, "SELECT email, id FROM organizations_user", [])
    assert (found.pk, found.email) == (user.pk, user.email)
    assert found.get_deferred_fields() >= {"name", "is_active"}


def test_a_session_ends_when_it_expires(client: Client) -> None:
    client.force_login(make_user())
    assert client.get("/profile/").status_code == 200
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert client.get("/profile/").status_code == 302


def test_who_is_inactive_is_signed_out(client: Client) -> None:
    user = make_user()
    client.force_login(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get("/profile/").status_code == 302
