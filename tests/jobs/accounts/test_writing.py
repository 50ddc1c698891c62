"""Accounts are written whole or not at all, however many people write at the same moment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import StringIO
from threading import Thread
from typing import Any

import pytest
import responses
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, connections
from django.test import Client
from django.urls import reverse

from jobs.models import ProviderAccount
from organizations.models import AuditEntry, Organization, Role, User
from tests.factories import make_membership, make_organization
from tests.jobs.factories import make_account

API = "https://app.zencoder.com/api/v2"
NAME = "Zencoder east"


def page_client(organization: Organization) -> Client:
    client = Client()
    client.force_login(make_membership(organization, Role.MANAGER).user)
    return client


def admin_client() -> Client:
    client = Client()
    email = "root@studio.example"
    root = User.objects.filter(email=email).first() or User.objects.create_superuser(email)
    client.force_login(root)
    return client


@pytest.fixture
def wire() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.get(f"{API}/account", json={"plan": "Studio"})
        yield mock


@contextmanager
def before_insert(table: str, act: Callable[[], None]) -> Iterator[None]:
    """Run `act` once, when the first row is about to be inserted into `table`."""
    waiting = [act]

    def wrap(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if waiting and sql.startswith(f'INSERT INTO "{table}"'):
            waiting.pop()()
        return execute(sql, params, many, context)

    with connection.execute_wrapper(wrap):
        yield


def fail() -> None:
    raise DatabaseError("the disk is full")


def pause_on_page(account: ProviderAccount) -> None:
    path = reverse("jobs:account_pause", args=[account.organization.slug, account.pk])
    page_client(account.organization).post(path)


def pause_in_admin(account: ProviderAccount) -> None:
    path = reverse("admin:jobs_provideraccount_changelist")
    admin_client().post(path, {"action": "pause", "_selected_action": [account.pk]})


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pause", [pause_on_page, pause_in_admin])
def test_an_account_is_not_paused_without_its_audit_entry(
    pause: Callable[[ProviderAccount], None],
) -> None:
    account = make_account(make_organization())
    with before_insert(AuditEntry._meta.db_table, fail), pytest.raises(DatabaseError):
        pause(account)
    account.refresh_from_db()
    assert account.enabled
    pause(account)
    account.refresh_from_db()
    assert not account.enabled


def add_on_page(organization: Organization) -> str:
    path = reverse("jobs:account_new", args=[organization.slug])
    values = {"name": NAME, "api_key": "k-second"}
    response = page_client(organization).post(f"{path}?provider=zencoder", values)
    assert response.status_code == 422
    return response.content.decode()


def add_in_admin(organization: Organization) -> str:
    path = reverse("admin:jobs_provideraccount_add")
    values = {"organization": organization.pk, "provider": "zencoder", "name": NAME}
    response = admin_client().post(path, values, follow=True)
    assert response.status_code == 200
    return response.content.decode()


def add_by_command(organization: Organization) -> str:
    phrase = [f"--organization={organization.slug}", "--provider=zencoder", f"--name={NAME}"]
    with pytest.raises(CommandError) as error:
        call_command("add_account", *phrase, "--credential=api_key=k-second", stdout=StringIO())
    return str(error.value)


@pytest.mark.postgres  # on SQLite the second waits for the lock, and finds what the first wrote
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("add", [add_on_page, add_in_admin, add_by_command])
def test_the_second_of_two_accounts_added_at_once_with_one_name_is_refused_with_a_sentence(
    add: Callable[[Organization], str], wire: responses.RequestsMock
) -> None:
    organization = make_organization()

    def add_first() -> None:
        make_account(organization, name=NAME)
        connections.close_all()

    def add_first_elsewhere() -> None:
        thread = Thread(target=add_first)
        thread.start()
        thread.join()

    with before_insert(ProviderAccount._meta.db_table, add_first_elsewhere):
        assert "An account with this name already exists." in add(organization)
    assert ProviderAccount.objects.get().credentials == {"api_key": f"key-of-{NAME}"}


@pytest.mark.django_db(transaction=True)
def test_adding_does_not_change_an_account_that_was_added_while_the_provider_was_asked(
    wire: responses.RequestsMock,
) -> None:
    organization = make_organization()

    def answer(request: object) -> tuple[int, dict[str, str], str]:
        make_account(organization, name=NAME)
        connections.close_all()
        return 200, {}, "{}"

    wire.replace(responses.CallbackResponse("GET", f"{API}/account", callback=answer))
    assert "An account with this name already exists." in add_on_page(organization)
    assert ProviderAccount.objects.get().credentials == {"api_key": f"key-of-{NAME}"}
