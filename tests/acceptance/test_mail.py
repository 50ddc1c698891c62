"""Invitations and password links, from a click to a mail server, by the settings of EMAIL_URL."""

import re
import socket
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from queue import Empty
from typing import Any
from urllib.parse import urlsplit

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from celery import current_app
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from organizations.models import Membership, Organization, Role
from organizations.tasks import mail_invitation, mail_password_links
from tests.dashboard.settings_file import read_settings
from tests.dashboard.test_logging import log_lines
from tests.factories import PASSWORD, make_membership, make_organization, make_user

pytestmark = pytest.mark.django_db

BOARD, SENDER = "https://board.example", "Reelboard <board@mail.example>"
ANN, NEW_PASSWORD = "ann@guest.example", "a-loud-harbour-18"
TASKS: dict[str, Any] = {task.name: task for task in (mail_invitation, mail_password_links)}
# what a link of ours ends in
SECRET = re.compile(rf"{BOARD}/(?:invitations/\d+/|accounts/password/reset/key/\w+?-)([\w-]+)/")


class Mailbox:
    """What a mail server has taken."""

    def __init__(self) -> None:
        self.messages: list[EmailMessage] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content or b""
        assert isinstance(content, bytes)
        message = message_from_bytes(content, policy=policy.default)
        assert [message["To"]] == envelope.rcpt_tos
        self.messages.append(message)
        return "250 OK"

    def take(self) -> EmailMessage:
        (message,) = self.messages
        self.messages.clear()
        return message


@pytest.fixture
def mailbox(tmp_path: Path, settings: Settings) -> Iterator[Mailbox]:
    """Of a mail server of this test's own, which the board was given as EMAIL_URL."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    given = {"EMAIL_URL": f"smtp://127.0.0.1:{port}", "EMAIL_FROM": SENDER, "BASE_URL": BOARD}
    for name, value in read_settings(tmp_path, **given).items():
        if name.startswith(("EMAIL_", "ACCOUNT_EMAIL_", "MAIL_", "DEFAULT_FROM", "BASE_URL")):
            setattr(settings, name, value)
    mailbox = Mailbox()
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    yield mailbox
    controller.stop()


@pytest.fixture
def post(django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks) -> Callable[..., Any]:
    """Posts a form, and does what a worker is sent to do by it."""
    take_messages()

    def post(client: Client, path: str, **data: str) -> Any:
        with django_capture_on_commit_callbacks(execute=True):
            response = client.post(path, data)
        for name, args in take_messages():
            TASKS[name].apply(args, throw=True)
        return response

    return post


def take_messages() -> list[tuple[str, list[Any]]]:
    """Those in the broker, as tasks and their arguments."""
    found: list[tuple[str, list[Any]]] = []
    with (
        current_app.connection_for_read() as connection,
        connection.SimpleQueue(current_app.conf.task_default_queue) as queue,
    ):
        while True:
            try:
                message = queue.get_nowait()
            except Empty:
                return found
            found.append((message.headers["task"], message.decode()[0]))
            message.ack()


@pytest.fixture
def studio() -> Organization:
    return make_organization("harbour", name="Harbour Studio")


def read(message: EmailMessage) -> tuple[str, str, str]:
    """Its subject, the path of the one link in it, and the secret of that."""
    assert message["From"] == SENDER
    assert message.get_content_type() == "text/plain"
    text = message.get_content()
    (link,) = re.findall(r"https?://\S+/\S+", text)
    found = SECRET.fullmatch(link)
    assert found
    return message["Subject"], urlsplit(link).path, found[1]


def test_an_invitation_arrives_and_its_link_works_once(
    studio: Organization, client: Client, mailbox: Mailbox, post: Callable[..., Any]
) -> None:
    client.force_login(make_membership(studio, Role.OWNER, user=make_user(name="Olga")).user)
    with log_lines("json") as lines:
        post(client, "/o/harbour/settings/members/", email=ANN, role="20")
        message = mailbox.take()
        subject, path, secret = read(message)
        assert (message["To"], subject) == (ANN, "You are invited to Harbour Studio on Reelboard")
        assert "Olga invites you to join Harbour Studio on Reelboard as Operator." in str(message)
        assert secret not in client.get("/o/harbour/settings/members/").content.decode()

        theirs = Client()
        form = {"name": "Ann", "password1": PASSWORD, "password2": PASSWORD}
        assert client.get(path).status_code == 403  # of another address
        assert theirs.post(path, form)["Location"] == "/o/harbour/"
        assert theirs.get("/o/harbour/jobs/").status_code == 200  # nothing is left to verify
        for visitor in (Client(), theirs):
            assert visitor.get(path).status_code == 410
            assert visitor.post(path, form).status_code == 410
    assert Membership.objects.get(user__email=ANN).role == Role.OPERATOR
    assert mailbox.messages == []
    assert secret not in lines.getvalue()
    assert "/invitations/" in lines.getvalue()


def test_a_password_link_arrives_and_works_once(
    studio: Organization, client: Client, mailbox: Mailbox, post: Callable[..., Any]
) -> None:
    user = make_membership(studio, user=make_user(ANN)).user
    with log_lines("json") as lines:
        post(client, "/accounts/password/reset/", email="nobody@guest.example")
        assert mailbox.messages == []
        post(client, "/accounts/password/reset/", email=ANN)
        message = mailbox.take()
        subject, path, secret = read(message)
        assert (message["To"], subject) == (ANN, "Set a new password for Reelboard")

        chosen = {"password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
        form_path = Client().get(path)["Location"]
        assert secret not in form_path
        theirs = Client()
        theirs.get(path)
        theirs.post(form_path, chosen)
        user.refresh_from_db()
        assert user.check_password(NEW_PASSWORD)
        again = Client()
        assert "no longer works" in again.get(path, follow=True).content.decode()
        again.post(form_path, {"password1": PASSWORD, "password2": PASSWORD})
    user.refresh_from_db()
    assert user.check_password(NEW_PASSWORD)
    assert secret not in lines.getvalue()
    assert theirs.get("/o/harbour/jobs/").status_code == 200
