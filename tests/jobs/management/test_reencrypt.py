"""`reencrypt`: after a rotation nothing that is stored needs the old key."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from pytest_django import Settings

from jobs.models import Output, ProviderAccount
from organizations import reencryption
from organizations.encryption import decrypt, encrypt
from organizations.models import Organization
from organizations.reencryption import EncryptedColumn
from tests.jobs.factories import make_account, make_job, make_output

pytestmark = [pytest.mark.django_db, pytest.mark.database]

OLD, NEW = (
    "the-key-that-was-there-before-the-rotation",
    "the-key-that-replaces-it-after-the-rotation",
)
URL = "https://cdn.example.com/1.mp4?sig=s3cret"


@pytest.fixture
def rotated(organization: Organization, settings: Settings) -> list[ProviderAccount]:
    """More rows than a batch, of the old key; then the new key comes first."""
    settings.CREDENTIALS_KEYS = [OLD]
    accounts = [make_account(organization, name=f"account {n}") for n in range(3)]
    job = make_job(accounts[0])
    for _ in range(2):
        make_output(job, secret_url=URL)
    make_output(job, secret_url=None)
    settings.CREDENTIALS_KEYS = [NEW, OLD]
    return accounts


def run(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("reencrypt", *arguments, "--json", stdout=out, stderr=StringIO())
    answer: dict[str, Any] = json.loads(out.getvalue())
    return answer


def test_what_is_stored_can_be_read_without_the_old_key(
    rotated: list[ProviderAccount], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reencryption, "BATCH", 2)
    stored = 2 * len(rotated) + 2  # credentials and hook secret of each, and the outputs
    secret = ProviderAccount.objects.first().hook_secret  # type: ignore[union-attr]
    assert run("--dry-run") == {"rewritten": 0, "remaining": stored}
    assert run() == {"rewritten": stored, "remaining": 0}
    assert run() == {"rewritten": 0, "remaining": 0}

    settings.CREDENTIALS_KEYS = [NEW]
    assert [one.credentials["api_key"] for one in ProviderAccount.objects.order_by("name")] == [
        f"key-of-account {n}" for n in range(3)
    ]
    assert ProviderAccount.objects.order_by("pk")[0].hook_secret == secret
    assert [one.secret_url for one in Output.objects.order_by("pk")] == [URL, URL, None]


def test_what_a_worker_writes_meanwhile_is_kept(
    rotated: list[ProviderAccount], monkeypatch: pytest.MonkeyPatch
) -> None:
    def replaced_by_a_worker(token: str) -> str:
        monkeypatch.undo()
        ProviderAccount.objects.filter(pk=rotated[0].pk).update(credentials={"api_key": "newer"})
        return encrypt(decrypt(token, "token"))

    monkeypatch.setattr(reencryption, "encrypt_anew", replaced_by_a_worker)
    assert run()["remaining"] == 0
    rotated[0].refresh_from_db()
    assert rotated[0].credentials == {"api_key": "newer"}


def test_what_no_key_opens_is_counted_and_left(
    rotated: list[ProviderAccount], settings: Settings
) -> None:
    settings.CREDENTIALS_KEYS = [NEW]
    stored = 2 * len(rotated) + 2
    assert run() == {"rewritten": 0, "remaining": stored}
    settings.CREDENTIALS_KEYS = [NEW, OLD]
    assert run() == {"rewritten": stored, "remaining": 0}


def test_an_app_can_have_values_that_hold_tokens_among_others(
    rotated: list[ProviderAccount], monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    """As sign-in keeps second factors."""
    settings.CREDENTIALS_KEYS = [OLD]
    ProviderAccount.objects.update(options={"secret": encrypt("totp"), "digits": 6})
    settings.CREDENTIALS_KEYS = [NEW, OLD]
    column = EncryptedColumn(
        ProviderAccount,
        "options",
        ProviderAccount._meta.get_field("options"),
        find_tokens=lambda value: [value["secret"]],
        replace_tokens=lambda value, replace: {**value, "secret": replace(value["secret"])},
    )
    monkeypatch.setattr(reencryption, "_FINDERS", [lambda: [column]])
    assert run() == {"rewritten": 3, "remaining": 0}
    settings.CREDENTIALS_KEYS = [NEW]
    options = ProviderAccount.objects.order_by("pk")[0].options
    assert (decrypt(options["secret"], "secret"), options["digits"]) == ("totp", 6)


def test_readiness_names_what_needs_the_old_key_and_does_not_fail(
    rotated: list[ProviderAccount], client: Client
) -> None:
    def check() -> str:
        errors = StringIO()
        call_command("check", "--tag", "database", "--database", "default", stderr=errors)
        return errors.getvalue()

    response = client.get("/readyz")
    assert response.status_code == 200
    assert "ProviderAccount.credentials" in response.content.decode()
    assert "reelboard.W001" in check()
    run()
    assert client.get("/readyz").content == b"ok\n"
    assert "W001" not in check()
