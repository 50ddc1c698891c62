import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialAccount, SocialToken
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from organizations.models import AuditEntry, Invitation, Membership, Organization, Role, User
from tests.factories import PASSWORD, make_invitation, make_organization
from tests.organizations.sign_in.codes import AUTHENTICATE, set_up_app
from tests.organizations.sign_in.issuer import (
    CLIENT_ID,
    CLIENT_SECRET,
    CONFIGURATION,
    Issuer,
    serve,
)
from tests.threads import together
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.django_db
SSO = "/accounts/sso/"
ANN = "ann@harbour.example"


@pytest.fixture
def issuer(settings: Settings) -> Iterator[Issuer]:
    with serve() as issuer:
        settings.OIDC_ISSUER = issuer.url
        settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET
        issuer.claims = {"sub": "42", "email": ANN, "email_verified": True, "name": "Ann Lee"}
        yield issuer


def leave(client: Client, **form: str) -> str:
    """The URL at the issuer that the button leads to."""
    page = client.post(SSO, form).content.decode()
    found = re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', page)
    assert found, page
    return unescape(found[1])


def come_back(client: Client, url: str) -> Any:
    at_issuer = requests.get(url, allow_redirects=False, timeout=PATIENCE_S)
    back = urlsplit(at_issuer.headers["Location"])
    assert f"{back.scheme}://{back.netloc}" == "http://127.0.0.1:8000"  # BASE_URL
    return client.get(f"{back.path}?{back.query}")


def sign_on(client: Client, **form: str) -> Any:
    return come_back(client, leave(client, **form))


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_an_invited_person_becomes_a_member_and_comes_back_by_the_same_name(
    client: Client, issuer: Issuer, studio: Organization
) -> None:
    invitation = make_invitation(studio, ANN)

    assert sign_on(client, next="/o/harbour-studio/jobs/")["Location"] == "/o/harbour-studio/jobs/"

    membership = Membership.objects.get(organization=studio)
    assert (membership.user.email, membership.user.name) == (ANN, "Ann Lee")
    assert membership.role == Role.OPERATOR
    assert not membership.user.has_usable_password()
    invitation.refresh_from_db()
    assert invitation.accepted_at is not None
    assert not SocialToken.objects.exists()
    actions = AuditEntry.objects.for_organization(studio).values_list("action", flat=True)
    assert set(actions) == {"member.joined", "single_sign_on.linked"}

    # known by the issuer's name from then on, whatever the address there
    issuer.claims |= {"email": "ann.lee@harbour.example", "email_verified": False}
    again = Client()
    sign_on(again)
    assert again.session["_auth_user_id"] == str(membership.user.pk)
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "change",
    [{}, {"expires_at": timezone.now() - timedelta(1)}, {"withdrawn_at": timezone.now()}],
    ids=["none", "expired", "withdrawn"],
)
def test_without_an_open_invitation_nobody_gets_in(
    client: Client, issuer: Issuer, studio: Organization, change: dict[str, Any]
) -> None:
    if change:
        make_invitation(studio, ANN)
        Invitation.objects.update(**change)
    make_invitation(studio, "bob@harbour.example")

    page = sign_on(client)

    assert page.status_code == 403
    assert "You are not invited" in page.content.decode()
    assert ANN in page.content.decode()
    assert not is_signed_in(client)
    assert not User.objects.exists()
    assert not SocialAccount.objects.exists()


@pytest.mark.parametrize("verified", [False, None, "false", 1, [True]])
@pytest.mark.parametrize("known", ["a user", "invited"])
def test_an_address_that_the_issuer_has_not_verified_is_nobodys(
    client: Client, issuer: Issuer, studio: Organization, verified: object, known: str
) -> None:
    if known == "invited":
        make_invitation(studio, ANN)
    else:
        User.objects.create_user(ANN, PASSWORD)
    issuer.claims["email_verified"] = verified

    page = sign_on(client)

    assert page.status_code == 403
    assert "Your address is not verified" in page.content.decode()
    assert not is_signed_in(client)
    assert not SocialAccount.objects.exists()


def test_an_existing_user_is_linked_by_the_verified_address_and_keeps_the_password(
    client: Client, issuer: Issuer, colleague: User
) -> None:
    issuer.claims |= {"email": colleague.email.upper(), "email_verified": "true"}

    sign_on(client)

    assert client.session["_auth_user_id"] == str(colleague.pk)
    colleague.refresh_from_db()
    assert colleague.check_password(PASSWORD)
    assert Membership.objects.get(user=colleague).role == Role.OPERATOR


def test_who_was_made_by_a_link_that_owners_saw_is_taken_over_by_the_verified_person(
    client: Client, issuer: Issuer, studio: Organization, settings: Settings
) -> None:
    settings.MAIL_IS_SET_UP = False
    intruder = Client()
    form = {"name": "Ann", "password1": PASSWORD, "password2": PASSWORD}
    intruder.post(urlsplit(make_invitation(studio, ANN).link).path, form)
    assert intruder.get("/o/harbour-studio/jobs/").status_code == 200
    set_up_app(intruder)

    assert sign_on(client)["Location"] == "/"

    user = User.objects.get()
    assert client.session["_auth_user_id"] == str(user.pk)
    jobs = client.get("/o/harbour-studio/jobs/").content.decode()
    assert "no longer does: password, second factors, sessions." in jobs
    assert not user.has_usable_password()
    assert intruder.get("/o/harbour-studio/jobs/").status_code == 302
    assert not user.authenticator_set.exists()  # type: ignore[attr-defined]
    assert EmailAddress.objects.get(user=user).verified
    entry = AuditEntry.objects.get(action="single_sign_on.linked")
    assert entry.details == {"ended": ["password", "second factors", "sessions"]}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("known", ["a user", "invited"])
def test_of_two_first_sign_ons_at_once_both_get_in_and_one_links(
    issuer: Issuer, known: str
) -> None:
    studio = make_organization("studio")
    make_invitation(studio, ANN)
    if known == "a user":
        User.objects.create_user(ANN, PASSWORD)
    clients = [Client() for _ in range(3)]
    urls = [leave(client) for client in clients]

    together(*[
        lambda client=client, url=url: come_back(client, url)
        for client, url in zip(clients, urls, strict=True)
    ])  # fmt: skip

    assert all(is_signed_in(client) for client in clients)
    assert User.objects.count() == SocialAccount.objects.count() == Membership.objects.count() == 1
    assert AuditEntry.objects.filter(action="single_sign_on.linked").count() == 1


def test_a_member_of_one_organization_is_invited_to_another(
    client: Client, issuer: Issuer, studio: Organization, stranger: User
) -> None:
    make_invitation(studio, stranger.email, Role.MANAGER)
    issuer.claims["email"] = stranger.email

    sign_on(client)

    assert Membership.objects.get(user=stranger, organization=studio).role == Role.MANAGER


def test_the_same_name_at_another_issuer_is_somebody_else(
    client: Client, issuer: Issuer, colleague: User, settings: Settings
) -> None:
    issuer.claims["email"] = colleague.email
    sign_on(client)
    with serve() as other:
        other.claims = {"sub": "42", "email": "eve@evil.example", "email_verified": True}
        settings.OIDC_ISSUER = other.url
        intruder = Client()

        assert sign_on(intruder).status_code == 403
    assert not is_signed_in(intruder)


def test_a_second_factor_is_asked_for_all_the_same(
    client: Client, issuer: Issuer, colleague: User, signed_in: Callable[[User], Client]
) -> None:
    set_up_app(signed_in(colleague))
    issuer.claims["email"] = colleague.email

    assert sign_on(client)["Location"] == AUTHENTICATE
    assert not is_signed_in(client)


def test_a_deactivated_user_stays_out(
    client: Client, issuer: Issuer, studio: Organization, stranger: User
) -> None:
    User.objects.filter(pk=stranger.pk).update(is_active=False)
    make_invitation(studio, stranger.email)
    issuer.claims["email"] = stranger.email

    assert sign_on(client)["Location"] == reverse("account_inactive")
    assert not Membership.objects.filter(user=stranger, organization=studio).exists()


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (CONFIGURATION, []),
        (CONFIGURATION, {"issuer": "https://elsewhere.example"}),
        (
            CONFIGURATION,
            {
                "authorization_endpoint": "javascript:alert(1)",
                "token_endpoint": "http://127.0.0.1/",
                "userinfo_endpoint": "http://127.0.0.1/",
            },
        ),
        ("/token", {"error": "invalid_client"}),
        ("/token", {"access_token": "a"}),
        ("/token", {"access_token": "a", "id_token": "no.to.ken"}),
        ("/token", ["access_token", "id_token"]),
        ("/token", {"access_token": "a", "id_token": "b", "expires_in": "soon"}),
        ("/userinfo", {}),
        ("/userinfo", {"sub": "43", "email": "olga@harbour.example", "email_verified": True}),
        ("/userinfo", {"sub": None}),
        ("/userinfo", "sub"),
    ],
)
def test_an_answer_that_makes_no_sense_leads_to_a_page_and_lets_nobody_in(
    client: Client, issuer: Issuer, owner: User, path: str, answer: Any
) -> None:
    issuer.claims["email"] = owner.email
    if path == CONFIGURATION:
        issuer.answers[path] = answer
        page = client.post(SSO)
    else:
        url = leave(client)
        issuer.answers[path] = answer
        page = come_back(client, url)

    assert page.status_code == 401
    assert "Single sign-on failed" in page.content.decode()
    assert not is_signed_in(client)


def test_an_answer_without_end_is_not_read(client: Client, issuer: Issuer, owner: User) -> None:
    issuer.claims["email"] = owner.email
    url = leave(client)
    issuer.claims["picture"] = "x" * 2_000_000
    assert come_back(client, url).status_code == 401
    del issuer.claims["picture"]

    issuer.answers[CONFIGURATION] = issuer.answer(CONFIGURATION, {}) | {"more": "x" * 2_000_000}
    assert client.post(SSO).status_code == 401
    assert not is_signed_in(client)


def test_hostile_claims_are_refused_or_made_harmless(
    client: Client, issuer: Issuer, studio: Organization
) -> None:
    make_invitation(studio, ANN)
    issuer.claims["name"] = "Ann\x00\n\u202e" + "x" * 500
    issuer.claims["picture"] = "\x00"
    sign_on(client)
    name = User.objects.get().name
    assert len(name) == 150
    assert not {"\x00", "\n", "\u202e"} & set(name)

    for subject in ("4\x002", "x" * 500, 42, ""):
        issuer.claims["sub"] = subject
        assert sign_on(Client()).status_code == 401
    issuer.claims |= {"sub": "44", "email": "an\x00n@harbour.example"}
    assert sign_on(Client()).status_code == 403


def test_the_answer_to_another_browser_signs_nobody_in(client: Client, issuer: Issuer) -> None:
    victim = Client()

    assert come_back(victim, leave(client)).status_code == 401
    assert not is_signed_in(victim)


def test_an_issuer_that_is_down_and_one_where_somebody_cancels(
    client: Client, issuer: Issuer, settings: Settings
) -> None:
    state = re.search(r"state=(\w+)", leave(client))
    assert state
    cancelled = client.get(f"{SSO}callback/?error=access_denied&state={state[1]}", follow=True)
    assert "You cancelled" in cancelled.content.decode()

    settings.OIDC_ISSUER = "http://127.0.0.1:9"
    assert client.post(SSO).status_code == 401


@pytest.mark.ignore_template_errors  # the error page is not what this is about
def test_without_an_issuer_there_is_nothing_of_it(client: Client) -> None:
    assert "single sign-on" not in client.get("/accounts/login/").content.decode()
    assert client.post(SSO).status_code == 404
    assert client.get(f"{SSO}callback/").status_code == 404
