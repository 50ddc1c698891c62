from collections.abc import Callable

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from organizations.encryption import Undecryptable
from organizations.models import AuditEntry, Organization, User
from organizations.sign_in.passwords import password_set_link
from tests.factories import make_user
from tests.organizations.sign_in.codes import (
    AUTHENTICATE,
    LOGIN,
    code_of,
    enter_password,
    recovery_codes,
    set_up_app,
)

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]


@pytest.fixture
def secret(signed_in: SignIn, colleague: User) -> str:
    """The colleague has an authenticator app; this is its key."""
    return set_up_app(signed_in(colleague))


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_a_password_alone_is_no_longer_enough(client: Client, secret: str, colleague: User) -> None:
    next_page = "/o/harbour-studio/jobs/?status=failed"

    assert enter_password(client, colleague, next=next_page) == AUTHENTICATE
    assert "Enter your code" in client.get(AUTHENTICATE).content.decode()
    wrong = client.post(AUTHENTICATE, {"code": "000000"})
    assert "Incorrect code" in wrong.content.decode()
    assert not is_signed_in(client)

    done = client.post(AUTHENTICATE, {"code": code_of(secret)})
    assert done["Location"] == next_page
    assert is_signed_in(client)


def test_a_recovery_code_works_once(signed_in: SignIn, colleague: User) -> None:
    owner = signed_in(colleague)
    set_up_app(owner)
    codes = recovery_codes(owner)
    assert len(set(codes)) == 10

    def use(code: str) -> bool:
        client = Client()
        enter_password(client, colleague)
        assert (
            "Recovery code" in client.get(AUTHENTICATE, {"use": "recovery-code"}).content.decode()
        )
        client.post(AUTHENTICATE, {"code": code})
        return is_signed_in(client)

    assert [use(codes[3]), use(codes[3]), use(codes[4])] == [True, False, True]
    assert recovery_codes(owner) == codes[:3] + codes[5:]


@time_machine.travel("2026-03-02T09:15:01Z", tick=False)
def test_a_code_works_once_even_where_processes_share_no_cache(
    secret: str, colleague: User
) -> None:
    def use() -> bool:
        cache.clear()
        client = Client()
        enter_password(client, colleague)
        client.post(AUTHENTICATE, {"code": code_of(secret)})
        return is_signed_in(client)

    assert [use(), use()] == [True, False]
    with time_machine.travel("2026-03-02T09:15:31Z", tick=False):
        assert use()


def test_guessing_is_limited_whatever_is_guessed_last(
    client: Client, secret: str, colleague: User
) -> None:
    enter_password(client, colleague)
    for guess in range(5):
        client.post(AUTHENTICATE, {"code": f"{guess:06}"})

    page = client.post(AUTHENTICATE, {"code": code_of(secret)}).content.decode()

    assert "Too many" in page
    assert not is_signed_in(client)


def test_a_link_that_sets_a_password_does_not_replace_the_second_factor(
    client: Client, secret: str, colleague: User
) -> None:
    opened = client.get(password_set_link(colleague))
    form = {"password1": "another-quiet-harbour-18", "password2": "another-quiet-harbour-18"}

    assert client.post(opened["Location"], form)["Location"] == AUTHENTICATE
    assert not is_signed_in(client)


def test_the_django_admin_asks_for_it_too(client: Client, signed_in: SignIn) -> None:
    staff = make_user(is_staff=True)
    secret = set_up_app(signed_in(staff))
    entry = client.get("/admin/login/", {"next": "/admin/"})["Location"]
    assert entry.startswith(LOGIN)

    enter_password(client, staff, next="/admin/")
    assert client.get("/admin/").status_code == 302
    assert client.post(AUTHENTICATE, {"code": code_of(secret)})["Location"] == "/admin/"


def test_only_a_trusted_browser_is_not_asked_again(secret: str, colleague: User) -> None:
    clients = [Client(), Client()]
    for client, extra, minute in zip(clients, ({"trust": "on"}, {}), (15, 16), strict=True):
        with time_machine.travel(f"2026-03-02T09:{minute}:01Z", tick=False):
            enter_password(client, colleague)
            client.post(AUTHENTICATE, {"code": code_of(secret), **extra})
            assert is_signed_in(client)
            client.post(reverse("account_logout"))

    with time_machine.travel("2026-03-03T09:15:00Z"):
        assert [enter_password(client, colleague) for client in clients] == ["/", AUTHENTICATE]
    clients[0].cookies.pop("sessionid", None)
    with time_machine.travel("2026-04-02T09:15:00Z"):
        assert enter_password(clients[0], colleague) == AUTHENTICATE


def test_no_secret_is_stored_in_the_clear_and_a_replaced_key_still_opens_it(
    client: Client, signed_in: SignIn, colleague: User, settings: Settings
) -> None:
    owner = signed_in(colleague)
    secret = set_up_app(owner)
    codes = recovery_codes(owner)
    old = settings.CREDENTIALS_KEYS[0]
    stored = {row.type: str(row.data) for row in Authenticator.objects.all()}
    assert set(stored) == {"totp", "recovery_codes"}
    assert not any(text in data for text in (secret, *codes) for data in stored.values())
    assert all("gAAAA" in data for data in stored.values())

    settings.CREDENTIALS_KEYS = ["a-newer-credentials-key-of-the-tests", old]
    assert recovery_codes(owner) == codes
    enter_password(client, colleague)
    client.post(AUTHENTICATE, {"code": code_of(secret)})
    assert is_signed_in(client)

    settings.CREDENTIALS_KEYS = settings.CREDENTIALS_KEYS[:1]
    assert client.get(reverse("mfa_index")).status_code == 200
    with pytest.raises(Undecryptable, match="CREDENTIALS_KEYS"):
        recovery_codes(owner)


def test_changes_take_the_password_again_and_are_audited(
    signed_in: SignIn, colleague: User, studio: Organization
) -> None:
    client = signed_in(colleague)
    refused = client.get(reverse("mfa_activate_totp"))
    assert refused["Location"].startswith(reverse("account_reauthenticate"))

    set_up_app(client)
    client.post(reverse("mfa_generate_recovery_codes"))
    client.post(reverse("mfa_deactivate_totp"))

    assert not Authenticator.objects.exists()
    entries = AuditEntry.objects.for_organization(studio).about(colleague)
    assert sorted((entry.action, entry.details["type"]) for entry in entries) == [
        ("second_factor.added", "recovery_codes"),
        ("second_factor.added", "totp"),
        ("second_factor.removed", "recovery_codes"),
        ("second_factor.removed", "totp"),
        ("second_factor.renewed", "recovery_codes"),
    ]
    assert {entry.actor_name for entry in entries} == {colleague.email}


def test_no_change_is_kept_without_its_entry(
    signed_in: SignIn, colleague: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = signed_in(colleague)
    client.raise_request_exception = False
    set_up_app(client)
    codes = recovery_codes(client)

    def fail(self: AuditEntry, **_: object) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(AuditEntry, "save", fail)
    for name in ("mfa_generate_recovery_codes", "mfa_deactivate_totp"):
        assert client.post(reverse(name)).status_code == 500
    assert Authenticator.objects.filter(user=colleague).count() == 2
    assert recovery_codes(client) == codes


@pytest.mark.ignore_template_errors  # of the admin's own templates
def test_lost_factors_are_removed_in_the_admin_or_by_command(
    client: Client, signed_in: SignIn, secret: str, colleague: User, studio: Organization
) -> None:
    root = User.objects.create_superuser("root@harbour.example", "irrelevant")
    admin = signed_in(root)
    app = Authenticator.objects.get(type="totp")
    shown = admin.get(reverse("admin:mfa_authenticator_change", args=[app.pk])).content.decode()
    assert colleague.email in shown
    assert app.data["secret"] not in shown

    path = reverse("admin:mfa_authenticator_delete", args=[app.pk])
    admin.post(path, {"post": "yes"})
    call_command("remove_second_factor", email=colleague.email.upper())

    assert enter_password(client, colleague) == "/"
    entries = AuditEntry.objects.for_organization(studio).filter(action="second_factor.removed")
    assert [(entry.actor_name, entry.details["type"]) for entry in entries] == [
        ("command line", "recovery_codes"),
        ("root@harbour.example", "totp"),
    ]
