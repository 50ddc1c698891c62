"""With a mail server, whoever signs in has shown once that the mail of the address reaches them."""

import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from celery import current_app
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from organizations.models import User
from organizations.sign_in.passwords import password_set_link
from organizations.tasks import mail_verification_link
from tests.factories import PASSWORD, make_user
from tests.organizations.sign_in.codes import LOGIN, enter_password

pytestmark = pytest.mark.django_db
SENT = "/accounts/confirm-email/"


@pytest.fixture(autouse=True)
def mail_server(settings: Settings) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"


@pytest.fixture(autouse=True)
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What reached the broker."""
    sent: list[tuple[str, Any]] = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, args, **options: sent.append((name, args))
    )
    return sent


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_first_sign_in_takes_the_link_that_a_worker_mails(
    client: Client,
    published: list[tuple[str, Any]],
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.BASE_URL = "https://board.example"
    user = make_user("ann@harbour.example")
    with django_capture_on_commit_callbacks(execute=True):
        assert enter_password(client, user) == SENT
    assert "Confirm your e-mail address" in client.get(SENT).content.decode()
    assert not is_signed_in(client)

    address = EmailAddress.objects.get()
    assert published == [(mail_verification_link.name, [address.pk])]
    mail_verification_link.apply(published[0][1], throw=True)
    (message,) = mail.outbox
    link = re.search(r"https://board\.example(/accounts/confirm-email/\S+)", str(message.body))
    assert link
    assert message.to == [user.email]

    # a mail program that opens links confirms nothing
    assert "Is <strong>ann@harbour.example" in client.get(link[1]).content.decode()
    assert not EmailAddress.objects.filter(verified=True).exists()
    assert client.post(link[1])["Location"] == LOGIN
    assert enter_password(client, user) == "/"
    assert "no longer works" in Client().get(link[1]).content.decode()


def test_a_wrong_password_mails_nothing(client: Client, published: list[tuple[str, Any]]) -> None:
    make_user("ann@harbour.example")

    client.post(LOGIN, {"login": "ann@harbour.example", "password": "wrong"})

    assert published == []
    assert not EmailAddress.objects.exists()


def test_whoever_came_by_a_one_time_link_is_verified(client: Client) -> None:
    user = User.objects.create_user("ann@harbour.example")
    opened = client.get(urlsplit(password_set_link(user)).path)

    client.post(opened["Location"], {"password1": PASSWORD, "password2": PASSWORD})

    assert is_signed_in(client)
    assert enter_password(Client(), user) == "/"


@pytest.mark.ignore_template_errors  # of the admin's own templates
def test_a_changed_address_is_verified_anew_and_the_old_one_signs_in_nobody(
    client: Client,
) -> None:
    user = make_user("ann@harbour.example")
    EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    root = User.objects.create_superuser("root@harbour.example", "irrelevant")
    admin = Client()
    admin.force_login(root)
    form = {
        "email": "lee@harbour.example",
        "is_active": "on",
        "memberships-TOTAL_FORMS": "0",
        "memberships-INITIAL_FORMS": "0",
    }

    admin.post(reverse("admin:organizations_user_change", args=[user.pk]), form)

    user.refresh_from_db()
    assert user.email == "lee@harbour.example"
    refused = client.post(LOGIN, {"login": "ann@harbour.example", "password": PASSWORD})
    assert refused.status_code == 200
    assert enter_password(client, user) == SENT
