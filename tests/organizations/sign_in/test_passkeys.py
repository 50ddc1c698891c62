import json
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from fido2.utils import websafe_encode
from pytest_django import Settings

from organizations.models import AuditEntry, Organization, User
from tests.organizations.sign_in.codes import (
    AUTHENTICATE,
    confirm_password,
    enter_password,
    recovery_codes,
)
from tests.organizations.sign_in.passkey import Passkey, options_on

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]
SIGN_IN = "/accounts/2fa/webauthn/login/"


def malformed(**response: str) -> str:
    response["clientDataJSON"] = websafe_encode(b'{"type": 1, "challenge": 2, "origin": []}')
    return json.dumps({"id": "AA", "rawId": "AA", "type": "public-key", "response": response})


@pytest.fixture(autouse=True)
def host_name(settings: Settings) -> None:
    settings.BASE_URL = "http://localhost:8000"


def add(client: Client, passkey: Passkey, name: str = "") -> Any:
    confirm_password(client)
    path = reverse("mfa_add_webauthn")
    field = passkey.create(options_on(client.get(path)))
    return client.post(path, {"name": name, **field})


@pytest.fixture
def passkey(signed_in: SignIn, colleague: User) -> Passkey:
    """The colleague's."""
    passkey = Passkey()
    assert add(signed_in(colleague), passkey)["Location"] == reverse("mfa_view_recovery_codes")
    return passkey


def use(client: Client, passkey: Passkey, **form: str) -> Any:
    """Sign in with it alone."""
    options = client.get(SIGN_IN, headers={"Accept": "application/json"}).json()
    return client.post(SIGN_IN, {**passkey.get(options), **form})


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def stored() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT data FROM mfa_authenticator WHERE type = 'webauthn'")
        return json.dumps(cursor.fetchall())


def test_a_passkey_signs_in_without_a_password(
    client: Client, passkey: Passkey, colleague: User
) -> None:
    assert "Use a passkey" in client.get("/accounts/login/").content.decode()

    done = use(client, passkey, next="/o/harbour-studio/jobs/")

    assert done["Location"] == "/o/harbour-studio/jobs/"
    assert client.session["_auth_user_id"] == str(colleague.pk)


def test_with_a_passkey_the_password_takes_it_or_a_recovery_code(
    client: Client, signed_in: SignIn, passkey: Passkey, colleague: User
) -> None:
    codes = recovery_codes(signed_in_anew(signed_in, colleague))
    assert enter_password(client, colleague) == AUTHENTICATE
    page = client.get(AUTHENTICATE)
    assert "Use your passkey" in page.content.decode()
    client.post(AUTHENTICATE, passkey.get(options_on(page)))
    assert is_signed_in(client)

    other = Client()
    enter_password(other, colleague)
    other.post(AUTHENTICATE, {"code": codes[0]})
    assert is_signed_in(other)


def signed_in_anew(signed_in: SignIn, user: User) -> Client:
    client = signed_in(user)
    confirm_password(client)
    return client


@pytest.mark.parametrize(
    "forged",
    [
        Passkey(),
        Passkey("https://evil.example", has_stolen_key=True),
        Passkey("http://localhost.evil.example", has_stolen_key=True),
        Passkey(is_verified=False, has_stolen_key=True),
    ],
    ids=["another key", "another site", "a similar site", "a user not verified"],
)
def test_what_only_looks_like_the_passkey_signs_nobody_in(
    client: Client, passkey: Passkey, forged: Passkey
) -> None:
    forged.imitate(passkey)

    assert use(client, forged)["Location"] == "/accounts/login/"
    assert not is_signed_in(client)
    assert "Incorrect code" in client.get("/accounts/login/").content.decode()


def test_an_answer_cannot_be_sent_twice(client: Client, passkey: Passkey) -> None:
    options = client.get(SIGN_IN, headers={"Accept": "application/json"}).json()
    field = passkey.get(options)
    client.post(SIGN_IN, field)
    client.post(reverse("account_logout"))

    client.post(SIGN_IN, field)

    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "text",
    [
        *("", "null", "{", "[]", '"x"', '{"id": 1}', '{"response": []}', '{"response": 1}'),
        '{"id": "AA", "rawId": "AA", "response": {}}',
        malformed(authenticatorData="AAAA", signature="AA", userHandle="MQ"),
        malformed(attestationObject="oA"),
        malformed(attestationObject="AAAA"),
    ],
)
def test_nonsense_is_refused(
    client: Client, signed_in: SignIn, passkey: Passkey, colleague: User, text: str
) -> None:
    client.get(SIGN_IN, headers={"Accept": "application/json"})
    assert client.post(SIGN_IN, {"credential": text})["Location"] == "/accounts/login/"
    enter_password(client, colleague)
    assert client.post(AUTHENTICATE, {"credential": text}).status_code == 200
    assert not is_signed_in(client)

    owner = signed_in_anew(signed_in, colleague)
    owner.get(reverse("mfa_add_webauthn"))
    again = owner.post(reverse("mfa_add_webauthn"), {"name": "", "credential": text})
    assert again.status_code == 200
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def test_a_device_that_does_not_ask_who_uses_it_is_refused(
    signed_in: SignIn, colleague: User
) -> None:
    assert add(signed_in(colleague), Passkey(is_verified=False)).status_code == 200
    assert not Authenticator.objects.exists()


def test_a_passkey_is_renamed_and_removed_by_its_owner_alone(
    signed_in: SignIn, passkey: Passkey, colleague: User, manager: User
) -> None:
    pk = Authenticator.objects.get(type="webauthn").pk
    owner, other = signed_in_anew(signed_in, colleague), signed_in_anew(signed_in, manager)
    rename, remove = (reverse(f"mfa_{act}_webauthn", args=[pk]) for act in ("edit", "remove"))
    assert 'value="Passkey 1"' in owner.get(rename).content.decode()
    owner.post(rename, {"name": "Phone"})
    assert "Phone" in owner.get(reverse("mfa_list_webauthn")).content.decode()
    assert "gAAAA" in stored()
    assert other.get(reverse("mfa_list_webauthn")).content.decode().count("no passkeys") == 1

    owner.post(remove)
    assert not Authenticator.objects.exists()


@pytest.mark.ignore_template_errors  # the error page is not what this is about
def test_a_strangers_passkey_is_not_found(
    signed_in: SignIn, passkey: Passkey, manager: User
) -> None:
    pk = Authenticator.objects.get(type="webauthn").pk
    other = signed_in_anew(signed_in, manager)
    for act in ("edit", "remove"):
        assert other.post(reverse(f"mfa_{act}_webauthn", args=[pk])).status_code == 404


def test_it_is_stored_encrypted_and_survives_the_replacement_of_the_key(
    client: Client, passkey: Passkey, settings: Settings, colleague: User, signed_in: SignIn
) -> None:
    assert "gAAAA" in stored()
    assert "attestationObject" not in stored()
    settings.CREDENTIALS_KEYS = ["a-newer-credentials-key-of-the-tests", *settings.CREDENTIALS_KEYS]
    codes = recovery_codes(signed_in_anew(signed_in, colleague))
    before = stored()
    call_command("reencrypt")
    assert stored() != before

    settings.CREDENTIALS_KEYS = settings.CREDENTIALS_KEYS[:1]
    use(client, passkey)
    assert is_signed_in(client)
    assert recovery_codes(signed_in_anew(signed_in, colleague)) == codes


def test_one_that_no_key_opens_can_still_be_listed_and_removed(
    signed_in: SignIn, passkey: Passkey, settings: Settings, colleague: User
) -> None:
    settings.CREDENTIALS_KEYS = ["a-newer-credentials-key-of-the-tests"]
    owner = signed_in_anew(signed_in, colleague)
    before = stored()
    assert "Passkey 1" in owner.get(reverse("mfa_list_webauthn")).content.decode()
    Authenticator.objects.get(type="webauthn").save()
    assert stored() == before

    owner.post(reverse("mfa_remove_webauthn", args=[Authenticator.objects.get(type="webauthn").pk]))
    assert not Authenticator.objects.exists()


@pytest.mark.parametrize(
    ("base_url", "reason"),
    [
        ("http://127.0.0.1:8000", "this board is at an IP address"),
        ("https://[2001:db8::1]", "this board is at an IP address"),
        ("http://board.example.org", "browsers allow them over https only"),
        ("https://board.example.org", ""),
    ],
)
def test_where_browsers_refuse_passkeys_the_page_says_why(
    signed_in: SignIn, colleague: User, settings: Settings, base_url: str, reason: str
) -> None:
    settings.BASE_URL = base_url
    client = signed_in_anew(signed_in, colleague)
    for name in ("mfa_index", "mfa_add_webauthn"):
        page = client.get(reverse(name)).content.decode()
        assert ("Passkeys are not available" in page) == bool(reason)
        assert reason in page
    assert ("Use a passkey" in Client().get("/accounts/login/").content.decode()) != bool(reason)


def test_adding_one_is_audited(
    signed_in: SignIn, passkey: Passkey, colleague: User, studio: Organization
) -> None:
    entries = AuditEntry.objects.for_organization(studio).about(colleague)
    assert {(entry.action, entry.details["type"]) for entry in entries} == {
        ("second_factor.added", "webauthn"),
        ("second_factor.added", "recovery_codes"),
    }


def test_it_confirms_a_change_in_place_of_the_password(
    signed_in: SignIn, passkey: Passkey, colleague: User
) -> None:
    client = signed_in(colleague)
    path = reverse("mfa_reauthenticate_webauthn")
    page = client.get(path, {"next": reverse("mfa_view_recovery_codes")})
    assert "Use your password" in page.content.decode()

    done = client.post(path, {**passkey.get(options_on(page)), "next": reverse("mfa_index")})

    assert done["Location"] == reverse("mfa_index")
    assert len(recovery_codes(client)) == 10
