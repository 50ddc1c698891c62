import re
from urllib.parse import urlsplit

import pytest
import time_machine
from allauth.account.models import EmailAddress
from django.test import Client
from pytest_django import Settings

from organizations.models import User
from organizations.sign_in.passwords import password_set_link
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

LOGIN = "/accounts/login/"


def sign_in(client: Client, email: str, password: str, **extra: str) -> int:
    form = {"login": email, "password": password, **extra}
    return client.post(LOGIN, form).status_code


def test_a_user_signs_in_by_e_mail_in_any_case(client: Client) -> None:
    make_user("ann@harbour.example")

    response = client.post(LOGIN, {"login": "ANN@Harbour.example", "password": PASSWORD})

    assert response.status_code == 302
    assert response["Location"] == "/"
    assert "_auth_user_id" in client.session


@pytest.mark.parametrize(
    ("asked", "led"),
    [
        ("/o/harbour-studio/jobs/?status=failed", "/o/harbour-studio/jobs/?status=failed"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("javascript:alert(1)", "/"),
        ("https:evil.example", "/"),
        ("https:///evil.example", "/"),
        ("///evil.example", "/"),
        ("/\\evil.example", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("\t//evil.example", "/"),
        ("http://testserver@evil.example/", "/"),
        # names of this host, but no pages of this board
        ("//localhost/", "/"),
        ("https://trusted.example/", "/"),
    ],
)
def test_sign_in_leads_back_to_our_own_pages_only(
    client: Client, settings: Settings, asked: str, led: str
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example"]
    make_user("ann@harbour.example")

    response = client.post(
        LOGIN, {"login": "ann@harbour.example", "password": PASSWORD, "next": asked}
    )

    assert response["Location"] == led
    # signed in already, and at sign-out
    assert client.get(LOGIN, {"next": asked})["Location"] == led
    out = client.post("/accounts/logout/", {"next": asked})["Location"]
    assert out == (led if led == asked else LOGIN)


@time_machine.travel("2026-03-02T09:15:00Z", tick=False)  # pages hold the second they are of
def test_a_wrong_password_reads_like_an_unknown_address(client: Client) -> None:
    make_user("ann@harbour.example")

    def answer(email: str) -> str:
        response = client.post(LOGIN, {"login": email, "password": "wrong"})
        assert response.status_code == 200
        page = response.content.decode().replace(email, "")
        return re.sub(r"csrfmiddlewaretoken\S* value=\S+", "", page)

    assert answer("ann@harbour.example") == answer("bob@harbour.example")
    assert "_auth_user_id" not in client.session


def test_sign_up_is_closed(client: Client) -> None:
    form = {"email": "eve@evil.example", "password1": PASSWORD, "password2": PASSWORD}

    page = client.get("/accounts/signup/")
    client.post("/accounts/signup/", form)

    assert "password1" not in page.content.decode()
    assert not User.objects.exists()


def test_the_link_for_a_new_user_sets_the_password_once_and_signs_in(client: Client) -> None:
    user = User.objects.create_user("ann@harbour.example")
    path = urlsplit(password_set_link(user)).path
    form = {"password1": PASSWORD, "password2": PASSWORD}

    opened = client.get(path)
    saved = client.post(opened["Location"], form)

    assert (saved.status_code, saved["Location"]) == (302, "/")
    assert client.session["_auth_user_id"] == str(user.pk)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)

    again = Client().get(path)
    assert again.status_code == 200
    assert "password1" not in again.content.decode()


def test_the_link_of_one_user_does_not_open_another(client: Client) -> None:
    ann = User.objects.create_user("ann@harbour.example")
    cem = User.objects.create_user("cem@harbour.example")
    path_of_ann = urlsplit(password_set_link(ann)).path
    token_of_cem = password_set_link(cem).rpartition("/key/")[2].partition("-")[2]

    mixed = client.get(path_of_ann.partition("-")[0] + "-" + token_of_cem)

    assert mixed.status_code == 200
    assert "password1" not in mixed.content.decode()


@pytest.mark.ignore_template_errors  # the error page is not what this is about
def test_nobody_changes_their_address_to_one_that_was_never_proven_theirs(client: Client) -> None:
    user = make_user("ann@harbour.example")
    client.force_login(user)
    form = {"action_add": "", "action_primary": "", "email": "chief@harbour.example"}

    assert client.post("/accounts/email/", form).status_code == 404
    assert not EmailAddress.objects.filter(email="chief@harbour.example").exists()
