"""An invitation is for its address, works once, and ends after seven days."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from smtplib import SMTPServerDisconnected
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from allauth.account.models import EmailAddress
from celery import current_app
from django.core import mail
from django.core.mail.backends.locmem import EmailBackend
from django.test import Client
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from organizations.models import AuditEntry, Invitation, Membership, Organization, Role, User
from organizations.people.invitations import (
    InvitationEnded,
    accept_as_new_user,
    invite,
    send_again,
    withdraw,
)
from organizations.tasks import mail_invitation
from tests.factories import PASSWORD, make_invitation, make_organization, make_user
from tests.threads import together

pytestmark = pytest.mark.django_db

ANN = "ann@guest.example"
NEW_USER = {"name": "Ann Guest", "password1": PASSWORD, "password2": PASSWORD}
SignIn = Callable[[User], Client]


def path_of(invitation: Invitation) -> str:
    return urlsplit(invitation.link).path


@pytest.fixture
def invitation(studio: Organization, owner: User) -> Invitation:
    return invite(studio, ANN, Role.OPERATOR, by=owner)


def test_a_new_person_sets_name_and_password_and_is_in(
    invitation: Invitation, client: Client
) -> None:
    assert "Harbour Studio" in client.get(path_of(invitation)).content.decode()
    answer = client.post(path_of(invitation), NEW_USER)

    user = User.objects.get(email=ANN)
    assert (answer.status_code, answer["Location"]) == (302, "/o/harbour-studio/")
    assert client.session["_auth_user_id"] == str(user.pk)
    assert (user.name, user.check_password(PASSWORD)) == ("Ann Guest", True)
    assert Membership.objects.get(user=user).role == Role.OPERATOR
    assert EmailAddress.objects.get(user=user).verified
    entry = AuditEntry.objects.get(action="member.joined")
    assert (entry.actor_id, entry.before, entry.after) == (
        user.pk, {"role": None}, {"role": "Operator"},
    )  # fmt: skip

    again = Client().post(path_of(invitation), NEW_USER | {"name": "Somebody else"})
    assert again.status_code == 410
    assert User.objects.filter(email=ANN).count() == 1


def test_a_weak_password_is_refused_and_the_link_still_works(
    invitation: Invitation, client: Client
) -> None:
    weak = {"name": "Ann", "password1": ANN, "password2": ANN}
    answer = client.post(path_of(invitation), weak)
    assert answer.status_code == 422
    assert "too similar to the e-mail address" in answer.content.decode()
    assert not User.objects.filter(email=ANN).exists()
    assert client.get(path_of(invitation)).status_code == 200


def test_a_known_person_signs_in_first_and_then_joins(
    invitation: Invitation, client: Client
) -> None:
    ann = make_user(ANN)
    page = client.post(
        path_of(invitation), NEW_USER | {"password1": "x" * 12, "password2": "x" * 12}
    )
    assert f"/accounts/login/?next={path_of(invitation)}" in page.content.decode()
    assert not Membership.objects.filter(user=ann).exists()

    client.force_login(ann)
    assert client.get(path_of(invitation)).status_code == 200
    assert not Membership.objects.filter(user=ann).exists()
    assert client.post(path_of(invitation))["Location"] == "/o/harbour-studio/"
    assert Membership.objects.get(user=ann).role == Role.OPERATOR
    ann.refresh_from_db()
    assert ann.check_password(PASSWORD)


def test_somebody_else_cannot_use_the_link(
    invitation: Invitation, stranger: User, signed_in: SignIn
) -> None:
    client = signed_in(stranger)
    for answer in (client.get(path_of(invitation)), client.post(path_of(invitation), NEW_USER)):
        assert answer.status_code == 403
        page = answer.content.decode()
        assert ANN in page
        assert f"signed in as {stranger.email}" in page
        assert f'name="next" value="{path_of(invitation)}"' in page
    assert not Membership.objects.filter(user=stranger, organization=invitation.organization)
    assert not User.objects.filter(email=ANN).exists()


def test_a_link_ends_when_it_is_withdrawn_renewed_or_seven_days_old(
    studio: Organization, owner: User, client: Client
) -> None:
    with time_machine.travel(datetime(2026, 3, 2, 9, tzinfo=UTC), tick=False) as clock:
        withdrawn, renewed, old = (
            make_invitation(studio, f"{name}@guest.example") for name in ("a", "b", "c")
        )
        links = [path_of(one) for one in (withdrawn, renewed, old)]
        assert {client.get(link).status_code for link in links} == {200}
        withdraw(withdrawn, by=owner)
        clock.shift(timedelta(days=6))
        sent = send_again(renewed, by=owner)
        clock.shift(timedelta(days=1))
        assert {client.get(link).status_code for link in links} == {410}
        assert {client.post(link, NEW_USER).status_code for link in links} == {410}
        assert sent
        assert client.get(path_of(sent)).status_code == 200
    assert not User.objects.exclude(pk=owner.pk).exists()


def test_a_guessed_link_opens_nothing(invitation: Invitation, client: Client) -> None:
    other = make_invitation(make_organization("elsewhere"))
    for secret in (other.secret, "0" * 64, "é"):
        assert client.get(f"/invitations/{invitation.pk}/{secret}/").status_code == 410


def test_inviting_an_address_again_renews_its_invitation(
    studio: Organization, owner: User, invitation: Invitation
) -> None:
    before = invitation.link
    again = invite(studio, ANN, Role.VIEWER, by=owner)
    assert (again.pk, again.role) == (invitation.pk, Role.VIEWER)
    assert again.link != before
    entry = AuditEntry.objects.for_organization(studio).first()
    assert entry
    assert (entry.before["role"], entry.after["role"]) == ("Operator", "Viewer")
    assert again.secret not in str(AuditEntry.objects.values())


@pytest.mark.django_db(transaction=True)
def test_two_tabs_accept_it_once() -> None:
    invitation = make_invitation(make_organization("studio"), ANN)
    outcomes: list[str] = []

    def accept(name: str) -> None:
        own = Invitation.objects.select_related("organization").get(pk=invitation.pk)
        try:
            accept_as_new_user(own, name, PASSWORD)
            outcomes.append("joined")
        except Exception as error:
            outcomes.append(type(error).__name__)

    together(lambda: accept("Ann"), lambda: accept("Bob"))

    assert "joined" in outcomes
    assert set(outcomes) - {"joined"} <= {"AddressTaken", InvitationEnded.__name__}
    assert Membership.objects.count() == User.objects.count() == 1


def test_a_worker_mails_the_link_once_and_no_message_holds_it(
    studio: Organization,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.BASE_URL = "https://board.example"
    published: list[tuple[str, Any]] = []
    monkeypatch.setattr(
        current_app, "send_task", lambda name, args, **options: published.append((name, args))
    )
    owner.name = "Olga\r\nBcc: all@harbour.example"
    owner.save()
    studio.name = "Harbour\nStudio"
    studio.save()
    with django_capture_on_commit_callbacks(execute=True):
        invitation = invite(studio, ANN, Role.OPERATOR, by=owner)
    assert published == [("organizations.tasks.mail_invitation", [invitation.pk])]

    answers = iter([SMTPServerDisconnected("later")])
    send = EmailBackend.send_messages

    def take(self: EmailBackend, messages: list[Any]) -> int:
        for error in answers:
            raise error
        return send(self, messages)

    monkeypatch.setattr(EmailBackend, "send_messages", take)
    for _ in range(2):
        mail_invitation.apply((invitation.pk,))
    (message,) = mail.outbox
    assert message.to == [ANN]
    assert message.subject == "You are invited to Harbour Studio on Reelboard"
    assert f"https://board.example{path_of(invitation)}" in message.body
    invitation.refresh_from_db()
    assert invitation.mailed_at


def test_nothing_is_mailed_without_a_mail_server(
    studio: Organization,
    owner: User,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    settings.MAIL_IS_SET_UP = False
    published: list[str] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, *_, **__: published.append(name))
    with django_capture_on_commit_callbacks(execute=True):
        invite(studio, ANN, Role.OPERATOR, by=owner)
    assert published == []
