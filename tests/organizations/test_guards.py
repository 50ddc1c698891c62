"""What holds on every page: limits of guessing, CSRF, cookies and a new session at sign-in."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.regex_helper import normalize
from pytest_django import Settings

from organizations.models import Role, User
from tests.factories import PASSWORD, make_membership, make_organization, make_user

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"
ANN = "ann@harbour.example"


def try_to_sign_in(password: str, email: str = ANN, path: str = LOGIN, **client: Any) -> bool:
    browser = Client(**client)
    browser.post(path, {"login": email, "password": password})
    return "_auth_user_id" in browser.session


def test_guessing_is_stopped_even_for_the_right_password() -> None:
    make_user(ANN)
    for _ in range(5):
        assert not try_to_sign_in("wrong")
    assert not try_to_sign_in(PASSWORD)


def test_wrong_passwords_from_one_client_keep_nobody_out_elsewhere() -> None:
    make_user(ANN)
    for _ in range(40):
        try_to_sign_in("wrong", REMOTE_ADDR="203.0.113.66")
    assert not try_to_sign_in(PASSWORD, REMOTE_ADDR="203.0.113.66")
    assert try_to_sign_in(PASSWORD, REMOTE_ADDR="198.51.100.7")


def test_one_client_is_stopped_across_addresses() -> None:
    make_user(ANN)
    for number in range(10):
        try_to_sign_in("wrong", email=f"person-{number}@harbour.example")
    assert not try_to_sign_in(PASSWORD)


def test_one_network_of_ipv6_is_one_client() -> None:
    make_user(ANN)
    for number in range(5):
        try_to_sign_in("wrong", REMOTE_ADDR=f"2001:db8::{number + 1}")
    assert not try_to_sign_in(PASSWORD, REMOTE_ADDR="2001:db8::ffff")
    assert try_to_sign_in(PASSWORD, REMOTE_ADDR="2001:db8:1::1")


@pytest.mark.parametrize("proxies", [0, 1])
def test_a_client_does_not_become_another_by_a_header(settings: Settings, proxies: int) -> None:
    """Behind a proxy the last entry is the proxy's own; without one, none of them is."""
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = proxies
    make_user(ANN)
    ours = ", 203.0.113.66" if proxies else ""
    for number in range(5):
        try_to_sign_in("wrong", HTTP_X_FORWARDED_FOR=f"198.51.100.{number}{ours}")
    assert not try_to_sign_in(PASSWORD, HTTP_X_FORWARDED_FOR=f"198.51.100.99{ours}")
    if proxies:
        assert try_to_sign_in(PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.66, 198.51.100.7")


def test_the_admin_has_no_sign_in_of_its_own(client: Client) -> None:
    User.objects.create_superuser(ANN, PASSWORD)
    response = client.post("/admin/login/", {"username": ANN, "password": PASSWORD})
    assert response["Location"].startswith(LOGIN)
    assert "_auth_user_id" not in client.session


def test_signing_in_starts_another_session(client: Client) -> None:
    make_user(ANN)
    session = client.session
    session["planted"] = "by whoever knows the id"
    session.save()
    before = str(session.session_key)
    client.post(LOGIN, {"login": ANN, "password": PASSWORD})
    assert client.cookies["sessionid"].value != before
    assert not client.session.exists(before)


def test_cookies_are_for_our_pages_alone(client: Client) -> None:
    make_user(ANN)
    client.get(LOGIN)
    client.post(LOGIN, {"login": ANN, "password": PASSWORD})
    session, csrf = client.cookies["sessionid"], client.cookies["csrftoken"]
    assert (session["httponly"], session["samesite"], csrf["samesite"]) == (True, "Lax", "Lax")


# Proven by a secret of their own: a token that no browser sends by itself.
EXEMPT = ("api/", "hooks/")
# Views of the library that look at no method and change nothing.
READ_ONLY = ("api/v1/openapi.json", "api/v1/docs")


def paths(resolver: URLResolver, prefix: str = "") -> Iterator[str]:
    """An address for each entry of the URLconf."""
    for entry in resolver.url_patterns:
        route = _example(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from paths(entry, prefix + route)
        elif isinstance(entry, URLPattern):
            yield prefix + route


def _example(pattern: Any) -> str:
    text, names = normalize(pattern.regex.pattern)[0]
    return str(text % {name: "jobs" if name == "app_label" else "1" for name in names})


def test_every_form_needs_its_token() -> None:
    studio = make_organization("harbour-studio")
    owner = make_membership(studio, Role.OWNER).user
    User.objects.filter(pk=owner.pk).update(is_staff=True, is_superuser=True)
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    tried = 0
    for path in paths(get_resolver()):
        response = client.post(f"/{path}", {"a": "b"})
        if path in READ_ONLY:
            assert response.status_code == 200, path
        elif path.startswith(EXEMPT):
            assert response.status_code in (400, 401, 404, 405), path
        else:
            assert response.status_code == 403, path
            assert b"CSRF" in response.content or b"form" in response.content, path
        tried += 1
    assert tried > 60


# What somebody signed out may see: ways to sign in, and links with a secret.
OPEN = {
    *("accounts/login/", "accounts/signup/", "accounts/inactive/", "accounts/sso/cancelled/"),
    *("accounts/confirm-email/", "accounts/confirm-email/1/"),
    *("accounts/password/reset/", "accounts/password/reset/done/"),
    *("accounts/password/reset/key/1-1/", "accounts/password/reset/key/done/"),
    *("invitations/1/1/", "admin/logout/"),
}


@pytest.mark.ignore_template_errors  # of pages that are open
def test_somebody_signed_out_sees_what_is_meant_to_be_open_alone() -> None:
    found = [path for path in paths(get_resolver()) if not path.startswith((*EXEMPT, *READ_ONLY))]
    shown = set()
    for path in found:
        # the admin asks before it looks at the method
        for method in ("get",) if path.startswith("admin/") else ("get", "post"):
            response = getattr(Client(), method)(f"/{path}")
            leads_to_sign_in = response.get("Location", "").startswith((LOGIN, "/admin/login/"))
            if not leads_to_sign_in and response.status_code not in (404, 405):
                shown.add(path)
    assert shown - OPEN == set()
    assert OPEN - shown == set()
    assert len(found) > 100
