"""A colleague joins by invitation: a password, a second factor, a time zone, a theme, a role."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import follow, inspect
from tests.browser.stack import PASSWORD, Stack
from tests.organizations.sign_in.codes import code_of

pytestmark = pytest.mark.browser

MEMBERS = "/o/harbor/settings/members/"
COLLEAGUE = "cleo@guest.example"


def invite(owner: Page, email: str = COLLEAGUE) -> str:
    """The link, which the page shows: this board has no mail server."""
    owner.goto(MEMBERS)
    owner.get_by_label("E-mail address").fill(email)
    owner.get_by_label("Role", exact=True).select_option("Viewer")
    owner.get_by_role("button", name="Invite", exact=True).click()
    row = owner.locator("tr", has_text=email)
    row.locator("summary").click()
    return row.locator("code").inner_text()


def accept(page: Page, link: str) -> None:
    page.goto(link)
    inspect(page)
    page.get_by_label("Name").fill("Cleo Guest")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password confirmation").fill(PASSWORD)
    with page.expect_response("**/profile/time-zone/") as reported:
        page.get_by_role("button", name="Join").click()
    assert reported.value.status == 204
    page.wait_for_url("**/o/harbor/")


def set_up_app(page: Page) -> str:
    """The key of the authenticator app, which signing in takes from now on."""
    page.goto("/accounts/2fa/totp/activate/")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    key = page.locator("#totp-key").inner_text()
    page.get_by_label("Six-digit code").fill(code_of(key))
    page.get_by_role("button", name="Turn on").click()
    expect(page.locator(".codes code").first).to_be_visible()
    return key


def give_role(owner: Page, role: str) -> None:
    owner.goto(MEMBERS)
    owner.get_by_label("Role of Cleo Guest").select_option(role)
    owner.get_by_role("button", name="Change the role of Cleo Guest").click()
    expect(owner.locator("#messages")).to_contain_text(f"The role of Cleo Guest is {role}.")


def expect_times(page: Page, zone: str) -> None:
    page.goto(MEMBERS)
    seen = page.locator("tr", has_text=COLLEAGUE).locator("time").first
    expect(seen).to_have_attribute("datetime", re.compile("Z$"))
    expect(seen).to_have_attribute("title", re.compile(rf" {re.escape(zone)} \(.* UTC\)$"))
    page.wait_for_timeout(1_100)  # by then the page has counted by itself, every second
    expect(seen).to_have_text(re.compile(r"^\d+ s ago$"))


def test_a_colleague_is_invited_joins_and_gets_another_role(
    stack: Stack, browser: Browser, page: Page
) -> None:
    page.expected_complaints = ("403",)  # type: ignore[attr-defined]
    link = invite(page)
    page.goto(link)
    expect(page.get_by_role("heading")).to_have_text("This invitation is for another address")
    inspect(page)
    context = browser.new_context(
        base_url=stack.url, timezone_id="Asia/Kathmandu", color_scheme="light"
    )
    theirs = context.new_page()
    accept(theirs, link)
    theirs.goto(link)
    expect(theirs.get_by_role("heading")).to_have_text("This invitation no longer works")
    inspect(theirs)
    key = set_up_app(theirs)
    expect_times(theirs, "+0545")
    theirs.goto("/profile/")
    theirs.get_by_label("Time zone").select_option("America/Phoenix")
    theirs.get_by_role("button", name="Save").click()
    expect_times(theirs, "MST")

    theirs.goto("/o/harbor/jobs/")
    for role, count in (("Operator", 1), ("Viewer", 0)):
        expect(theirs.get_by_role("link", name="New job")).to_have_count(1 - count)
        give_role(page, role)
        theirs.reload()
        expect(theirs.get_by_role("link", name="New job")).to_have_count(count)
    assert theirs.request.get("/o/harbor/jobs/new/").status == 403

    theirs.locator(".top-user summary").click()
    with theirs.expect_response("**/profile/theme/"):
        theirs.get_by_role("button", name="Dark theme").click()
    context.close()
    check_theme_before_any_script(stack, browser, key)


def check_theme_before_any_script(stack: Stack, browser: Browser, key: str) -> None:
    """On another device, which knows nothing of it, and without scripts."""
    context = browser.new_context(base_url=stack.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/accounts/login/?next=/profile/")
    page.get_by_label("E-mail address").fill(COLLEAGUE)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.get_by_label("Code").fill(code_of(key))
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator(".devices li")).to_have_count(2)
    page.get_by_role("button", name="End all other sessions").click()
    expect(page.locator(".devices li")).to_have_count(1)
    context.close()


def test_axe_finds_nothing_on_the_pages_of_an_organization_and_of_a_person(page: Page) -> None:
    settings = "/o/harbor/settings/"
    for path in ("", "members/leave/", "roles/", "audit/"):
        page.goto(settings + path)
        inspect(page)
    for path in ("/organizations/", "/profile/"):
        page.goto(path)
        inspect(page)

    page.goto(f"{settings}tokens/")
    page.get_by_role("textbox", name="Name").fill("nightly")
    page.get_by_role("button", name="Create token").click()
    expect(page.locator(".token-text")).to_be_visible()
    inspect(page)
    follow(page, "Revoke nightly")
    inspect(page)
    invite(page, "decoy@guest.example")
    inspect(page)
    follow(page, "Remove vik@harbor.example")
    inspect(page)
