"""What people choose for themselves: name, time zone, theme."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.test import Client

from organizations.models import AuditEntry, Membership, Organization, User

pytestmark = pytest.mark.django_db
SignIn = Callable[[User], Client]

SEEN = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)
MEMBERS = "/o/harbour-studio/settings/members/"


def test_name_time_zone_and_theme_are_saved_and_audited(
    studio: Organization, viewer: User, signed_in: SignIn
) -> None:
    client = signed_in(viewer)
    # an unchecked box sends nothing
    form = {"name": "Vera", "time_zone": "Asia/Kathmandu", "theme": "dark"}
    assert client.post("/profile/", form)["Location"] == "/profile/"
    client.post("/profile/", form)
    viewer.refresh_from_db()
    assert (viewer.name, viewer.time_zone, viewer.theme) == ("Vera", "Asia/Kathmandu", "dark")
    assert not viewer.has_shortcuts
    seen, personal = AuditEntry.objects.order_by("pk")
    assert {(one.action, one.actor_id) for one in (seen, personal)} == {
        ("profile.changed", viewer.pk)
    }
    assert (seen.organization, seen.before, seen.after) == (studio, {"name": ""}, {"name": "Vera"})
    assert personal.organization is None
    assert personal.before == {"time_zone": "", "theme": "system", "has_shortcuts": "on"}
    assert personal.after == {
        "time_zone": "Asia/Kathmandu",
        "theme": "dark",
        "has_shortcuts": "off",
    }


def test_nothing_is_changed_without_its_entry(
    viewer: User, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: AuditEntry, **_: object) -> None:
        raise RuntimeError("the disk is full")

    client, other = signed_in(viewer), signed_in(viewer)
    for one in (client, other):
        one.raise_request_exception = False
        one.get("/profile/")
    monkeypatch.setattr(AuditEntry, "save", fail)
    assert client.post("/profile/", {"name": "Vera", "theme": "dark"}).status_code == 500
    assert client.post("/profile/sessions/end/").status_code == 500
    viewer.refresh_from_db()
    assert viewer.name == ""
    assert other.get("/profile/").status_code == 200


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("time_zone", zone) for zone in ("Mars/Olympus", "../../etc/passwd", "localtime")),
        *(("theme", theme) for theme in ("pink", '"><script>')),
        ("name", "x" * 151),
    ],
)
def test_what_is_no_choice_is_refused_and_nothing_is_lost(
    viewer: User, signed_in: SignIn, name: str, value: str
) -> None:
    form = {"name": "Vera", "time_zone": "Asia/Kathmandu", "theme": "dark"} | {name: value}
    answer = signed_in(viewer).post("/profile/", form)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'data-theme="system"' in page
    assert name == "name" or 'value="Vera"' in page
    viewer.refresh_from_db()
    assert (viewer.name, viewer.time_zone, viewer.theme) == ("", "", "system")


@time_machine.travel(SEEN + timedelta(hours=2), tick=False)
def test_pages_show_times_in_the_persons_zone_and_tooltips_both(
    studio: Organization, viewer: User, signed_in: SignIn
) -> None:
    Membership.objects.update(created_at=SEEN, last_seen_at=SEEN)
    client = signed_in(viewer)
    in_utc = "2026-07-01 22:30:00 UTC"
    assert f'title="{in_utc}"' in client.get(MEMBERS).content.decode()

    User.objects.filter(pk=viewer.pk).update(time_zone="Europe/Berlin")
    page = client.get(MEMBERS).content.decode()
    assert f'datetime="2026-07-01T22:30:00Z" title="2026-07-02 00:30:00 CEST ({in_utc})"' in page
    assert ">2 Jul 2026<" in page
    # what the ages on the page are counted from
    clock = re.search(r'data-now="([^"]+)"', page)
    assert clock
    assert datetime.fromisoformat(clock[1]) == SEEN + timedelta(hours=2)
    # nobody else's pages, and no later request of another
    assert ">1 Jul 2026<" in signed_in(_colleague_of(viewer)).get(MEMBERS).content.decode()

    User.objects.filter(pk=viewer.pk).update(time_zone="Gone/Zone")
    assert ">1 Jul 2026<" in client.get(MEMBERS).content.decode()


def _colleague_of(user: User) -> User:
    organization = user.memberships.get().organization
    other = User.objects.create_user("other@harbour.example")
    Membership.objects.create(user=other, organization=organization, created_at=SEEN)
    return other


def test_the_browser_reports_its_zone_until_there_is_one(viewer: User, signed_in: SignIn) -> None:
    client = signed_in(viewer)
    assert "js/zone.js" in client.get("/profile/").content.decode()
    assert client.post("/profile/time-zone/", {"time_zone": "Mars/Olympus"}).status_code == 422
    assert client.post("/profile/time-zone/", {"time_zone": "Asia/Calcutta"}).status_code == 204
    page = client.get("/profile/").content.decode()
    assert "js/zone.js" not in page
    assert re.search(r'value="Asia/Calcutta"\s+selected', page)

    client.post("/profile/time-zone/", {"time_zone": "Europe/Berlin"})
    viewer.refresh_from_db()
    assert viewer.time_zone == "Asia/Calcutta"


def test_the_server_renders_the_theme_and_the_switch_saves_it(
    viewer: User, signed_in: SignIn
) -> None:
    client = signed_in(viewer)
    assert "data-bs-theme" not in client.get("/profile/").content.decode()
    assert client.post("/profile/theme/", {"theme": "dark"}).status_code == 204
    assert client.post("/profile/theme/", {"theme": "pink"}).status_code == 422
    for path in ("/profile/", "/o/harbour-studio/jobs/", "/o/nowhere/"):
        assert 'data-bs-theme="dark"' in client.get(path).content.decode()


def test_keyboard_shortcuts_are_on_until_somebody_switches_them_off(
    studio: Organization, viewer: User, signed_in: SignIn
) -> None:
    client = signed_in(viewer)
    jobs = "/o/harbour-studio/jobs/"
    marks = ("js/keys.js", 'id="shortcuts"', "Press / to search")
    page = client.get(jobs).content.decode()
    assert [mark for mark in marks if mark not in page] == []
    client.post("/profile/", {"theme": "system"})
    page = client.get(jobs).content.decode()
    assert [mark for mark in marks if mark in page] == []
    client.post("/profile/", {"theme": "system", "has_shortcuts": "on"})
    assert "js/keys.js" in client.get(jobs).content.decode()


def test_all_of_it_is_for_the_person_alone(client: Client) -> None:
    assert client.get("/profile/")["Location"].startswith("/accounts/login/")
    for path in ("", "time-zone/", "theme/", "sessions/end/", "sessions/1/end/"):
        assert client.post(f"/profile/{path}")["Location"].startswith("/accounts/login/")
