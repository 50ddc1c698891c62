"""Where a person is signed in, and ending it."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client

from organizations.models import AuditEntry, User
from organizations.profile.sessions import describe
from tests.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/139.0.0.0 Safari/537.36 Edg/139.0.0.0"
)


def sign_in(user: User, agent: str, address: str) -> Client:
    client = Client(headers={"user-agent": agent}, REMOTE_ADDR=address)
    client.post("/accounts/login/", {"login": user.email, "password": PASSWORD})
    return client


@pytest.fixture
def ann() -> User:
    return make_user("ann@harbour.example")


def devices(client: Client) -> list[tuple[str, str, bool]]:
    found = client.get("/profile/").context["devices"]
    return [(one.name, one.address, one.is_current) for one in found]


def test_each_session_is_listed_and_can_be_ended(ann: User) -> None:
    desk = sign_in(ann, FIREFOX, "203.0.113.7")
    phone = sign_in(ann, IPHONE, "2001:db8::7")
    bob = sign_in(make_user("bob@harbour.example"), EDGE, "198.51.100.9")

    ours, theirs = ("Firefox on Linux", "203.0.113.7"), ("Safari on iPhone", "2001:db8::7")
    assert devices(desk) == [(*ours, True), (*theirs, False)]
    assert "End all other sessions" in desk.get("/profile/").content.decode()
    row = UserSession.objects.get(ip=theirs[1])
    assert bob.post(f"/profile/sessions/{row.pk}/end/").status_code == 404
    assert devices(phone)[0] == (*theirs, True)

    assert desk.post(f"/profile/sessions/{row.pk}/end/")["Location"] == "/profile/"
    assert phone.get("/profile/")["Location"].startswith("/accounts/login/")
    assert devices(desk) == [(*ours, True)]
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor_id, entry.details) == (
        "session.ended", ann.pk, {"device": theirs[0], "address": theirs[1]},
    )  # fmt: skip
    assert devices(bob) == [("Edge on Windows", "198.51.100.9", True)]


def test_all_others_are_ended_at_once_and_the_current_one_is_not(ann: User) -> None:
    here, *others = (sign_in(ann, FIREFOX, f"203.0.113.{one}") for one in (1, 2, 3))
    current = UserSession.objects.get(ip="203.0.113.1")
    here.post(f"/profile/sessions/{current.pk}/end/")
    here.post("/profile/sessions/end/")
    assert devices(here) == [("Firefox on Linux", "203.0.113.1", True)]
    assert {one.get("/profile/").status_code for one in others} == {302}
    assert Session.objects.count() == 1


def test_a_session_that_ended_otherwise_is_not_listed(ann: User) -> None:
    here, other = (sign_in(ann, FIREFOX, f"203.0.113.{one}") for one in (1, 2))
    other.post("/accounts/logout/")
    third = sign_in(ann, FIREFOX, "203.0.113.3")
    Session.objects.filter(session_key=third.session.session_key).update(
        expire_date=datetime(2020, 1, 1, tzinfo=UTC)
    )
    assert [address for _, address, _ in devices(here)] == ["203.0.113.1"]


def test_when_it_was_last_seen_is_kept_to_ten_minutes(
    ann: User,
) -> None:
    start, seen = datetime(2026, 3, 2, 9, tzinfo=UTC), []
    with time_machine.travel(start, tick=False) as clock:
        client = sign_in(ann, FIREFOX, "203.0.113.1")
        for minutes in (0, 9, 10):
            clock.move_to(start + timedelta(minutes=minutes))
            client.get("/organizations/", REMOTE_ADDR="203.0.113.8")
            row = UserSession.objects.get()
            seen.append((row.last_seen_at.minute, row.ip))
    assert seen == [(0, "203.0.113.1")] * 2 + [(10, "203.0.113.8")]


@pytest.mark.parametrize(
    ("agent", "text"),
    [(FIREFOX, "Firefox on Linux"), (IPHONE, "Safari on iPhone"), (EDGE, "Edge on Windows"),
     (EDGE.partition(" Edg")[0].replace("Chrome", "HeadlessChrome"), "Chrome on Windows"),
     ("curl/8.5.0", "curl"), ("", "Unknown device"), ("<script>", "Unknown device")],
)  # fmt: skip
def test_devices_are_named(agent: str, text: str) -> None:
    assert describe(agent) == text
