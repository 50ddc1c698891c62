"""Every page of django-allauth that can be reached: opened, submitted wrongly and rightly."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, reverse

from organizations.models import User
from organizations.sign_in.passwords import password_set_link
from organizations.sign_in.urls import urlpatterns
from tests.factories import PASSWORD, make_user
from tests.organizations.sign_in.codes import (
    confirm_password,
    current_code,
    enter_password,
    set_up_app,
)

pytestmark = pytest.mark.django_db

NEW_PASSWORD = "another-quiet-harbour-18"
EMAIL = "ann@harbour.example"


class Reader(HTMLParser):
    """The text that a person sees of a page, and the forms that they can submit."""

    def __init__(self) -> None:
        super().__init__()
        self.text, self.actions, self.fields, self.buttons = "", [""][:0], set[str](), [""][:0]
        self._inside: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._inside.append(tag)
        if tag == "form":
            self.actions.append(values.get("action") or "")
        if tag == "input":
            self.fields.add(values.get("name") or "")
        if tag == "button":
            self.buttons.append(values.get("type") or "")

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not {"script", "style", "noscript"} & set(self._inside):
            self.text += data


@dataclass(frozen=True)
class Case:
    """A page, who opens it, what is refused on it, and what it accepts.

    `right` may be made from the client: what is accepted can depend on what a page before said.
    """

    open: Callable[[Client], str]
    heading: str
    wrong: dict[str, str] | None = None
    right: dict[str, str] | Callable[[Client], dict[str, str]] = field(default_factory=dict)


def signed_in(client: Client) -> User:
    user = make_user(EMAIL)
    client.force_login(user)
    return user


def named(name: str, sign_in: bool = False) -> Callable[[Client], str]:
    def open_it(client: Client) -> str:
        if sign_in:
            signed_in(client)
        else:
            make_user(EMAIL)
        return reverse(name)

    return open_it


def without_password(client: Client) -> str:
    user = signed_in(client)
    user.set_unusable_password()
    user.save()
    client.force_login(user)
    return reverse("account_set_password")


def reset_link(client: Client) -> str:
    path = urlsplit(password_set_link(make_user(EMAIL))).path
    return str(client.get(path)["Location"])


def old_link(client: Client) -> str:
    return reverse("account_reset_password_from_key", args=["1", "set-password"])


def confirmed(name: str) -> Callable[[Client], str]:
    """The page `name`, for a user who has just confirmed the password."""

    def open_it(client: Client) -> str:
        signed_in(client)
        confirm_password(client)
        return reverse(name)

    return open_it


def with_app(name: str) -> Callable[[Client], str]:
    """The page `name`, for a user who has just set up an authenticator app."""

    def open_it(client: Client) -> str:
        signed_in(client)
        set_up_app(client)
        return reverse(name)

    return open_it


def half_signed_in(client: Client) -> str:
    user = signed_in(client)
    set_up_app(client)
    client.post(reverse("account_logout"))
    return enter_password(client, user)


TWO = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
CASES = {
    "account_login": Case(
        named("account_login"),
        "Sign in",
        {"login": EMAIL, "password": "wrong"},
        {"login": EMAIL, "password": PASSWORD},
    ),
    "account_logout": Case(named("account_logout", sign_in=True), "Sign out?", None, {"a": "b"}),
    "account_inactive": Case(named("account_inactive"), "This account is deactivated"),
    "account_signup": Case(named("account_signup"), "Sign-up is closed"),
    "account_reauthenticate": Case(
        named("account_reauthenticate", sign_in=True),
        "Confirm your password",
        {"password": "wrong"},
        {"password": PASSWORD},
    ),
    "account_change_password": Case(
        named("account_change_password", sign_in=True),
        "Change password",
        {"oldpassword": "wrong", **TWO},
        {"oldpassword": PASSWORD, **TWO},
    ),
    "account_set_password": Case(
        without_password, "Set a password", TWO | {"password2": "other"}, TWO
    ),
    "account_reset_password": Case(
        named("account_reset_password"), "Reset your password", {"email": "no"}, {"email": EMAIL}
    ),
    "account_reset_password_done": Case(named("account_reset_password_done"), "Check your e-mail"),
    "account_reset_password_from_key": Case(
        reset_link, "Set your password", TWO | {"password2": "other"}, TWO
    ),
    "an old link": Case(old_link, "This link no longer works"),
    "account_reset_password_from_key_done": Case(
        named("account_reset_password_from_key_done"), "Your password is set"
    ),
}
VERIFICATION = {
    "account_email_verification_sent": Case(
        named("account_email_verification_sent"), "Confirm your e-mail address"
    ),
    "account_confirm_email": Case(
        lambda client: reverse("account_confirm_email", args=["old"]), "This link no longer works"
    ),
    "socialaccount_login_cancelled": Case(
        named("socialaccount_login_cancelled"), "Sign-in cancelled"
    ),
}
SECOND_FACTOR = {
    "mfa_index": Case(named("mfa_index", sign_in=True), "Two-factor authentication"),
    "an index with factors": Case(with_app("mfa_index"), "Replace with new codes"),
    "mfa_authenticate": Case(half_signed_in, "Enter your code", {"code": "no"}, current_code),
    "mfa_reauthenticate": Case(
        with_app("mfa_reauthenticate"), "Confirm with a code", {"code": "no"}, current_code
    ),
    "mfa_activate_totp": Case(
        confirmed("mfa_activate_totp"),
        "Set up an authenticator app",
        {"code": "no"},
        current_code,
    ),
    "mfa_deactivate_totp": Case(
        with_app("mfa_deactivate_totp"), "Remove the authenticator app?", None, {"a": "b"}
    ),
    "mfa_view_recovery_codes": Case(with_app("mfa_view_recovery_codes"), "10 of 10 are unused"),
    "mfa_generate_recovery_codes": Case(
        with_app("mfa_generate_recovery_codes"), "Replace your recovery codes?", None, {"a": "b"}
    ),
    "mfa_list_webauthn": Case(named("mfa_list_webauthn", sign_in=True), "You have no passkeys"),
    "mfa_add_webauthn": Case(confirmed("mfa_add_webauthn"), "Passkeys are not available"),
    "mfa_download_recovery_codes": Case(with_app("mfa_download_recovery_codes"), ""),
}
CASES |= VERIFICATION | SECOND_FACTOR
# other states of a page above
AGAIN = {"an old link", "an index with factors"}
# leads to the sign-in page: nobody is sent a code, and trust is asked with the code
ELSEWHERE = {"account_confirm_login_code", "mfa_trust"}


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    assert "<" not in reader.text
    assert "class=" not in reader.text
    return reader


def names(patterns: Iterable[URLPattern | URLResolver]) -> Iterator[str | None]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            yield from names(pattern.url_patterns)
        else:
            yield pattern.name


def test_every_page_is_tried() -> None:
    # what needs an issuer or a passkey: tests/organizations/sign_in
    others = {f"mfa_{act}_webauthn" for act in ("login", "reauthenticate", "edit", "remove")}
    others |= {"single_sign_on", "single_sign_on_callback"}
    tried = (set(CASES) - AGAIN) | ELSEWHERE | others
    assert set(names(urlpatterns)) == tried


@pytest.mark.parametrize("name", CASES)
def test_a_page_opens_says_what_is_wrong_and_takes_what_is_right(client: Client, name: str) -> None:
    case = CASES[name]
    path = case.open(client)
    page = client.get(path)
    reader = read(page.content.decode())
    assert (page.status_code, case.heading in reader.text) == (200, True)
    if not case.right:
        return
    assert path in [urlsplit(action).path for action in reader.actions]
    assert "csrfmiddlewaretoken" in reader.fields
    assert "submit" in reader.buttons
    if case.wrong is not None:
        assert set(case.wrong) <= reader.fields
        refused = client.post(path, case.wrong)
        assert refused.status_code == 200
        assert (
            "is-invalid" in refused.content.decode() or "banner-error" in refused.content.decode()
        )
        read(refused.content.decode())
    done = client.post(path, case.right(client) if callable(case.right) else case.right)
    assert done.status_code == 302
    assert not urlsplit(done["Location"]).netloc


@pytest.mark.parametrize("name", sorted(ELSEWHERE))
def test_a_page_that_nobody_needs_leads_to_sign_in(client: Client, name: str) -> None:
    assert client.get(reverse(name))["Location"].startswith("/accounts/login/")


def test_a_changed_password_signs_in_and_the_old_one_does_not(client: Client) -> None:
    user = signed_in(client)
    client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, **TWO})
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)
    reported = read(client.get("/accounts/logout/").content.decode()).text
    assert "Password" in reported


def test_too_many_attempts_are_reported_on_a_page_of_ours(client: Client) -> None:
    make_user(EMAIL)
    for _ in range(6):
        page = client.post(reverse("account_reset_password"), {"email": EMAIL})
    assert page.status_code == 429
    assert "Too many attempts" in read(page.content.decode()).text
