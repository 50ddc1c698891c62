"""Encryption at rest: what the column holds, and what a lost or rotated key does."""

import json

import pytest
from cryptography.fernet import Fernet
from django.core import serializers
from django.core.exceptions import FieldError
from django.db import connection
from pytest_django import Settings

from jobs.models import Output, ProviderAccount
from organizations.encryption import Undecryptable
from tests.jobs.factories import make_job, make_output

pytestmark = pytest.mark.django_db

SECRET = "hunter2-of-the-north"
NEW_KEY = "another-key-that-is-long-enough-for-it"


def column(name: str, table: str = "jobs_provideraccount") -> str:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name} FROM {table}")  # noqa: S608 - our own literals
        return str(cursor.fetchone()[0])


@pytest.fixture
def sealed(account: ProviderAccount) -> ProviderAccount:
    account.credentials = {"api_key": SECRET}
    account.save()
    return account


def test_the_column_never_holds_the_value(sealed: ProviderAccount) -> None:
    assert SECRET not in column("credentials")
    assert "api_key" not in column("credentials")
    assert sealed.hook_secret not in column("hook_secret")
    assert ProviderAccount.objects.get().credentials == {"api_key": SECRET}


def test_equal_values_have_different_tokens(sealed: ProviderAccount) -> None:
    before = column("credentials")
    sealed.save()
    assert column("credentials") != before


def test_the_newest_key_encrypts_and_every_key_decrypts(
    sealed: ProviderAccount, settings: Settings
) -> None:
    old_key = settings.CREDENTIALS_KEYS[0]
    settings.CREDENTIALS_KEYS = [NEW_KEY, old_key]
    account = ProviderAccount.objects.get()
    assert account.credentials == {"api_key": SECRET}
    account.save(update_fields=["credentials"])
    settings.CREDENTIALS_KEYS = [NEW_KEY]
    assert ProviderAccount.objects.get().credentials == {"api_key": SECRET}


def test_a_lost_key_is_a_clear_error_when_the_value_is_read(
    sealed: ProviderAccount, settings: Settings
) -> None:
    settings.CREDENTIALS_KEYS = [NEW_KEY]
    account = ProviderAccount.objects.get()  # the list still works
    with pytest.raises(Undecryptable, match=r"ProviderAccount\.credentials .* CREDENTIALS_KEYS"):
        _ = account.credentials
    with pytest.raises(Undecryptable):
        account.as_remote()


def test_a_lost_key_keeps_no_other_column_from_being_saved(
    sealed: ProviderAccount, settings: Settings
) -> None:
    token, old_keys = column("credentials"), settings.CREDENTIALS_KEYS
    settings.CREDENTIALS_KEYS = [NEW_KEY]
    account = ProviderAccount.objects.get()
    account.name = "renamed"
    account.save()
    assert column("credentials") == token
    settings.CREDENTIALS_KEYS = old_keys
    assert ProviderAccount.objects.get(name="renamed").credentials == {"api_key": SECRET}


def test_a_value_that_is_no_token_is_not_passed_on(account: ProviderAccount) -> None:
    for planted in ('{"api_key": "plain"}', Fernet(Fernet.generate_key()).encrypt(b"{}").decode()):
        with connection.cursor() as cursor:
            cursor.execute("UPDATE jobs_provideraccount SET credentials = %s", [planted])
        with pytest.raises(Undecryptable):
            _ = ProviderAccount.objects.get().credentials


def test_saving_a_deferred_value_keeps_it(sealed: ProviderAccount) -> None:
    account = ProviderAccount.objects.defer("credentials").get()
    account.save(update_fields=["credentials"])
    assert ProviderAccount.objects.get().credentials == {"api_key": SECRET}


def test_nothing_is_null_and_can_be_asked_for(account: ProviderAccount) -> None:
    plain, signed = (
        make_output(make_job(account), secret_url=url) for url in (None, "https://x.example/?sig=1")
    )
    assert Output.objects.get(secret_url__isnull=True) == plain
    assert Output.objects.get(secret_url__isnull=False).opens_at == signed.opens_at
    with pytest.raises(FieldError):
        Output.objects.filter(secret_url="https://x.example/?sig=1")


def test_a_dump_holds_tokens_and_loads_again(sealed: ProviderAccount, settings: Settings) -> None:
    _ = sealed.credentials
    dumped = serializers.serialize("json", [sealed, ProviderAccount.objects.get()])
    assert SECRET not in dumped
    assert sealed.hook_secret not in dumped
    sealed.delete()
    for loaded in serializers.deserialize("json", dumped):
        loaded.save()
    assert ProviderAccount.objects.get().credentials == {"api_key": SECRET}


def test_a_dump_needs_no_key(sealed: ProviderAccount, settings: Settings) -> None:
    settings.CREDENTIALS_KEYS = [NEW_KEY]
    [dumped] = json.loads(serializers.serialize("json", ProviderAccount.objects.all()))
    assert dumped["fields"]["credentials"] == column("credentials")
