"""A note that mentions a colleague, written by keyboard; and how the colleague finds it."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import inspect
from tests.browser.conftest import keep_session
from tests.browser.stack import VIEWER, Stack

pytestmark = pytest.mark.browser


def test_a_colleague_is_mentioned_by_keyboard_and_finds_the_note(
    page: Page, stack: Stack, browser: Browser, tmp_path: Path
) -> None:
    page.goto("/o/harbor/jobs/?status=succeeded")
    page.locator(".row-link").first.click()
    box = page.get_by_label("Add a note")
    box.focus()
    page.keyboard.type(f"First line\nsee https://t.example/OPS-1, @{VIEWER[:2].upper()}")
    option = page.get_by_role("option", selected=True)
    expect(option).to_contain_text(VIEWER)
    expect(page.locator("#announcer")).to_contain_text("choose with the arrow keys")
    assert box.get_attribute("aria-activedescendant") == option.get_attribute("id")
    inspect(page)
    page.keyboard.press("Escape")
    expect(option).to_be_hidden()
    page.keyboard.type(VIEWER[2:4])
    expect(option).to_contain_text(VIEWER)
    page.keyboard.press("ArrowDown")  # around to the same one: nobody else is called so
    page.keyboard.press("Enter")
    expect(box).to_have_value(f"First line\nsee https://t.example/OPS-1, @{VIEWER} ")
    page.keyboard.type("please")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"#note-\d+$"))
    note = page.locator(".note")
    expect(note.locator(".mention")).to_contain_text("@")
    expect(note.get_by_role("link", name="https://t.example/OPS-1")).to_be_visible()
    inspect(page)

    session = keep_session(stack, browser, VIEWER, tmp_path / "viewer.json")
    theirs = browser.new_context(base_url=stack.url, storage_state=session).new_page()
    theirs.goto("/o/harbor/accounts/")
    menu = theirs.locator(".top-user summary")
    expect(menu).to_contain_text("1 unread mention")
    menu.press("Enter")
    theirs.get_by_role("link", name="Mentions 1 unread").press("Enter")
    expect(theirs.locator(".note.is-unread")).to_contain_text("First line")
    inspect(theirs)
    theirs.locator(".note .row-link").press("Enter")
    expect(theirs.locator(".note:target")).to_contain_text("First line")
    expect(theirs.get_by_label("Add a note")).to_have_count(0)
    expect(menu).not_to_contain_text("unread")
    theirs.context.close()
