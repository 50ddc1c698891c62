"""A walk by keyboard alone, and what the keys must leave alone."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import find_violations

pytestmark = pytest.mark.browser

JOBS = "/o/harbor/jobs/"


def focused_row(page: Page) -> int:
    """The number of the row that holds the focus, from 0."""
    rows = "[...document.querySelectorAll('#rows tr')]"
    return int(page.evaluate(f"{rows}.indexOf(document.activeElement.closest('tr'))"))


def test_find_open_and_go_on_to_the_next_failure(page: Page) -> None:
    page.goto(f"{JOBS}?q=is:partial")
    page.keyboard.press("/")
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("status:failed ")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"status%3Afailed"))
    names = page.locator("#rows .job-name")
    expect(names.nth(2)).to_be_visible()
    links = [link.get_attribute("href") or "" for link in names.all()]
    for key, row in (("j", 0), ("j", 1), ("j", 2), ("k", 1), ("k", 0), ("k", 0)):
        page.keyboard.press(key)
        assert focused_row(page) == row
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{links[0]}")
    for key, row in (("f", 1), ("j", 2), ("k", 1)):
        page.keyboard.press(key)
        page.wait_for_url(re.compile(rf"{links[row]}\?list="))
        expect(page.locator(".crumb")).to_contain_text(f"Failed jobs {row + 1} of ")


def test_retry_asks_first_and_the_keys_rest_in_fields_menus_and_dialogs(page: Page) -> None:
    page.goto(f"{JOBS}?status=failed&provider=zencoder")
    page.keyboard.press("f")
    menu = page.locator("#filters details").first
    expect(menu).to_have_attribute("open", "")
    page.keyboard.press("j")
    assert focused_row(page) == -1
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    page.keyboard.press("Control+j")
    assert focused_row(page) == -1

    page.keyboard.press("?")
    sheet = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(sheet).to_be_visible()
    assert find_violations(page) == []
    page.keyboard.press("j")
    assert focused_row(page) == -1
    page.keyboard.press("Escape")
    expect(sheet).to_be_hidden()

    page.keyboard.press("j")
    page.keyboard.press("r")
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    question = page.get_by_role("dialog", name=re.compile("^Retry "))
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    page.keyboard.press("r")
    expect(question).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("jr?")
    expect(page.locator("#search")).to_have_value("jr?")


def test_who_switched_them_off_has_none(page: Page) -> None:
    page.goto("/profile/")
    choice = page.get_by_label("Keyboard shortcuts")
    choice.uncheck()
    page.get_by_role("button", name="Save").click()
    expect(choice).not_to_be_checked()
    page.goto(JOBS)
    for key in ("j", "/", "?"):
        page.keyboard.press(key)
    assert focused_row(page) == -1
    expect(page.locator("#search")).not_to_be_focused()
    expect(page.locator("#shortcuts")).to_have_count(0)
    # for the other tests, which share the person
    page.goto("/profile/")
    choice.check()
    page.get_by_role("button", name="Save").click()
    expect(choice).to_be_checked()
