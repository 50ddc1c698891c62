"""What every page has: the policy, its pages for errors, icons that exist, sign-in."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import render_to_string
from django.test import Client

from jobs.models import Job
from jobs.templatetags.icons import ICONS
from organizations.models import Membership
from providers.core.status import JobStatus, OutputStatus
from tests.factories import make_membership, make_organization, make_user

ROOT = Path(settings.BASE_DIR)
TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))
STYLES = sorted((ROOT / "static" / "css").glob("*.css"))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_no_template_needs_an_exception_from_the_policy(template: Path) -> None:
    text = template.read_text()
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:|hx-on|hx-vals=.js:", text)
    assert not re.search(r"<script(?![^>]*\ssrc=)", text)
    assert not re.search(r"(src|href)=.(https?:)?//", text)


@pytest.mark.parametrize("source", [*SCRIPTS, *STYLES], ids=lambda path: path.name)
def test_our_own_files_evaluate_nothing_and_ask_no_other_host(source: Path) -> None:
    text = source.read_text()
    assert not re.search(r"\beval\(|new Function|innerHTML|@import|https?://", text)


COLOR = re.compile(
    r"#[0-9a-f]{3,8}\b|\b(?:rgba?|hsla?|hwb|oklch|oklab|lab|lch|light-dark)\("
    r"|(?<![\w-])(?:white|black|gr[ae]y|red|green|blue|orange|yellow|purple)(?![\w-])",
    re.IGNORECASE,
)


@pytest.mark.parametrize("source", STYLES, ids=lambda path: path.name)
def test_nothing_but_the_tokens_has_a_color(source: Path) -> None:
    text = re.sub(r"/\*.*?\*/", "", source.read_text(), flags=re.DOTALL)
    tokens, _, parts = text.partition("}")
    assert COLOR.search(tokens)
    assert COLOR.findall(parts) == []


def test_there_is_one_stylesheet() -> None:
    assert [path.name for path in STYLES] == ["board.css"]


def test_every_icon_that_is_used_is_in_the_sprite_and_no_other_is() -> None:
    used = set(ICONS.values())
    for template in TEMPLATES:
        used |= set(re.findall(r'{% icon "([\w-]+)"', template.read_text()))
    sprite = (ROOT / "static/vendor/tabler-icons/sprite.svg").read_text()
    assert used == set(re.findall(r'<symbol id="([\w-]+)"', sprite))


def test_every_status_has_an_icon_of_its_own() -> None:
    assert {*JobStatus, *OutputStatus} <= set(ICONS)
    assert len({ICONS[status] for status in JobStatus}) == len(JobStatus)


def test_vendored_packages_bring_their_licences() -> None:
    folders = [path for path in (ROOT / "static" / "vendor").iterdir() if path.is_dir()]
    assert folders
    assert [path.name for path in folders if not (path / "LICENSE").exists()] == []


def test_the_page_for_our_own_failure_needs_no_request_and_no_database() -> None:
    assert "Something went wrong" in render_to_string("500.html")


def test_what_is_not_there_and_what_is_not_allowed_have_pages(viewer: Client, job: Job) -> None:
    missing = viewer.get("/o/harbour-studio/nowhere/")
    assert missing.status_code == 404
    html = missing.content.decode()
    assert "<h1>Page not found</h1>" in html
    assert "/o/harbour-studio/nowhere/" in html
    assert '<nav class="side-nav"' in html
    # in the frame of the organization that it is about, whichever was used last
    user = Membership.objects.get(organization=job.organization).user
    make_membership(make_organization("a-second"), user=user)
    viewer.get("/o/a-second/jobs/")
    refused = viewer.get("/o/harbour-studio/jobs/new/")
    html = refused.content.decode()
    assert refused.status_code == 403
    assert "Requires the Operator role; your role is Viewer." in html
    assert 'href="/o/harbour-studio/jobs/"' in html.partition('class="empty-state')[2]


def test_a_form_from_before_the_sign_in_is_distinguished(viewer: Client) -> None:
    client = Client(enforce_csrf_checks=True)
    response = client.post("/accounts/login/", {"login": "x", "password": "y"})
    assert response.status_code == 403
    assert "This form has expired" in response.content.decode()
    assert '<nav class="side-nav"' not in response.content.decode()

    client.cookies = viewer.cookies
    response = client.post("/o/harbour-studio/jobs/new/", {"input": "x"})
    html = response.content.decode()
    assert response.status_code == 403
    assert "<h1>This form has expired</h1>" in html
    assert '<nav class="side-nav"' in html


def test_who_has_no_board_is_told_without_one(stranger: Client) -> None:
    missing = stranger.get("/o/harbour-studio/jobs/").content.decode()
    assert "<h1>Page not found</h1>" in missing
    assert '<nav class="side-nav"' not in missing


@pytest.mark.django_db
def test_a_wrong_password_does_not_say_which_of_the_two_was_wrong(client: Client) -> None:
    make_user("eve@north.example")
    for address in ("eve@north.example", "nobody@north.example"):
        sent = {"login": address, "password": "not it"}
        html = client.post("/accounts/login/", sent).content.decode()
        error = html.partition('id="id_password_error"')[2].partition("</div>")[0]
        assert "The address or the password is wrong." in error
        assert 'value="not it"' not in html


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "phrase"),
    [
        ("/accounts/login/", "Sign in"),
        ("/accounts/password/reset/", "Reset your password"),
        ("/accounts/password/reset/done/", "Check your e-mail"),
        ("/accounts/password/reset/key/1-x-y/", "This link no longer works"),
        ("/accounts/signup/", "Sign-up is closed"),
    ],
)
def test_the_pages_around_the_sign_in_are_ours(client: Client, url: str, phrase: str) -> None:
    html = client.get(url).content.decode()
    assert f"<h1>{phrase}</h1>" in html
    assert "css/board.css" in html


def test_signing_out_asks_first(viewer: Client) -> None:
    assert "<h1>Sign out?</h1>" in viewer.get("/accounts/logout/").content.decode()


def test_the_organization_can_be_switched(viewer: Client, job: Job) -> None:
    user = Membership.objects.get(organization=job.organization).user
    make_membership(make_organization("second", name="Second Studio"), user=user)
    html = viewer.get("/o/harbour-studio/jobs/").content.decode()
    assert 'href="/o/second/jobs/"' in html
    assert "Second Studio" in html
