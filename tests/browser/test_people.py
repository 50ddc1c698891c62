"""A colleague joins by invitation, with a password, a time zone and a theme of their own."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import inspect
from tests.browser.stack import PASSWORD, Stack

pytestmark = pytest.mark.browser

MEMBERS = "/o/harbor/settings/members/"
COLLEAGUE = "cleo@guest.example"


def invite(owner: Page) -> str:
    """The link, which the page shows: this board has no mail server."""
    owner.goto(MEMBERS)
    owner.get_by_label("E-mail address").fill(COLLEAGUE)
    owner.get_by_label("Role", exact=True).select_option("Viewer")
    owner.get_by_role("button", name="Invite", exact=True).click()
    row = owner.locator("tr", has_text=COLLEAGUE)
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
    page.wait_for_url("**/o/harbor/jobs/")


def test_a_colleague_is_invited_joins_and_gets_another_role(
    stack: Stack, browser: Browser, page: Page
) -> None:
    page.expected_complaints = ("403",)  # type: ignore[attr-defined]
    link = invite(page)
    page.goto(link)
    expect(page.get_by_role("heading")).to_have_text("This invitation is for another address")
    context = browser.new_context(
        base_url=stack.url, timezone_id="Asia/Kathmandu", color_scheme="light"
    )
    theirs = context.new_page()
    accept(theirs, link)

    theirs.goto(MEMBERS)
    seen = theirs.locator("tr", has_text=COLLEAGUE).locator("time").first
    expect(seen).to_have_attribute("datetime", re.compile("Z$"))
    expect(seen).to_have_attribute("title", re.compile(r"\+0545 \(.* UTC\)$"))
    expect(theirs.get_by_role("link", name="New job")).to_have_count(0)

    page.goto(MEMBERS)
    page.get_by_label("Role of Cleo Guest").select_option("Operator")
    page.get_by_role("button", name="Change the role of Cleo Guest").click()
    expect(page.locator("#messages")).to_contain_text("The role of Cleo Guest is Operator.")
    theirs.reload()
    expect(theirs.get_by_role("link", name="New job")).to_be_visible()

    theirs.locator(".side-user summary").click()
    with theirs.expect_response("**/profile/theme/"):
        theirs.get_by_role("button", name="Dark theme").click()
    context.close()
    check_theme_before_any_script(stack, browser)


def check_theme_before_any_script(stack: Stack, browser: Browser) -> None:
    """On another device, which knows nothing of it, and without scripts."""
    context = browser.new_context(base_url=stack.url, java_script_enabled=False)
    page = context.new_page()
    page.goto("/accounts/login/?next=/profile/")
    page.get_by_label("Email").fill(COLLEAGUE)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(page.locator(".devices li")).to_have_count(2)
    page.get_by_role("button", name="End all other sessions").click()
    expect(page.locator(".devices li")).to_have_count(1)
    context.close()
