"""A forgotten password: a worker mails the link, and nobody learns which addresses are known."""

from collections.abc import Callable
from smtplib import SMTPServerDisconnected
from typing import Any

import pytest
from celery import current_app
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.db import connection
from django.http import HttpResponseBase
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from organizations.models import User
from organizations.tasks import mail_password_links
from tests.factories import make_user

pytestmark = pytest.mark.django_db

ANN, BOB = "ann@harbour.example", "bob@harbour.example"
Ask = Callable[..., HttpResponseBase]


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What reached the broker."""
    sent: list[tuple[str, Any]] = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, args, **options: sent.append((name, args))
    )
    return sent


@pytest.fixture
def ask(client: Client, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Ask:
    def post(email: str, **extra: Any) -> HttpResponseBase:
        with django_capture_on_commit_callbacks(execute=True):
            return client.post(reverse("account_reset_password"), {"email": email}, **extra)

    return post


def work(published: list[tuple[str, Any]]) -> None:
    for name, args in published:
        assert name == mail_password_links.name
        mail_password_links.apply(args, throw=True)


def test_the_request_sends_nothing_and_its_message_holds_only_an_id(
    ask: Ask, published: list[tuple[str, Any]]
) -> None:
    user = make_user(ANN)
    ask(ANN.upper())
    assert not mail.outbox
    assert published == [("organizations.tasks.mail_password_links", [[user.pk]])]


def test_without_a_mail_server_the_page_says_so_and_asks_for_nothing(
    client: Client, ask: Ask, published: list[tuple[str, Any]], settings: Settings
) -> None:
    settings.MAIL_IS_SET_UP = False
    make_user(ANN)

    page = client.get(reverse("account_reset_password")).content.decode()
    assert "E-mail is not set up on this board" in page
    assert 'name="email"' not in page
    assert "manage.py changepassword" in page

    assert ask(ANN).status_code == 200
    assert published == []


def test_a_known_and_an_unknown_address_take_the_same_way(
    ask: Ask, published: list[tuple[str, Any]]
) -> None:
    make_user(ANN)
    ask("first@harbour.example")  # what is only done once
    ways = []
    for email in (ANN, BOB):
        published.clear()
        with CaptureQueriesContext(connection) as queries:
            response = ask(email)
        ways.append((response.status_code, response["Location"], len(queries), len(published)))
        work(published)
    assert ways[0] == ways[1]
    assert [message.to for message in mail.outbox] == [[ANN]]


def test_the_link_is_under_our_public_address_whatever_host_was_asked(
    ask: Ask, published: list[tuple[str, Any]], settings: Settings
) -> None:
    settings.BASE_URL = "https://board.example"
    settings.ALLOWED_HOSTS = ["*"]
    make_user(ANN)
    ask(ANN, HTTP_HOST="evil.example", HTTP_X_FORWARDED_HOST="evil.example")
    work(published)
    (message,) = mail.outbox
    assert "https://board.example/accounts/password/reset/key/" in message.body
    assert "evil.example" not in f"{message.subject} {message.body}"


def test_a_broker_that_is_down_breaks_no_page(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise ConnectionError("nobody is there")

    monkeypatch.setattr(current_app, "send_task", fail)
    make_user(ANN)
    assert ask(ANN).status_code == ask(BOB).status_code == 302


def test_a_mail_server_that_is_down_is_tried_again_for_those_who_are_left(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_user(ANN)
    make_user(BOB)
    User.objects.filter(pk=make_user().pk).update(is_active=False)
    attempts = iter(["taken", "lost", "lost", "taken"])

    def send(self: EmailBackend, messages: list[Any]) -> int:
        if next(attempts) == "lost":
            raise SMTPServerDisconnected("later")
        mail.outbox.extend(messages)
        return 1

    monkeypatch.setattr(EmailBackend, "send_messages", send)
    mail_password_links.apply((list(User.objects.values_list("pk", flat=True)),))
    assert [message.to for message in mail.outbox] == [[ANN], [BOB]]
