"""The query box by keyboard: what it offers, what it calls wrong, and what the list shows."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import find_violations

pytestmark = pytest.mark.browser

JOBS = "/o/harbor/jobs/"


def test_keys_and_values_complete_by_keyboard(page: Page) -> None:
    page.goto(JOBS)
    box = page.get_by_role("combobox", name="Search jobs")
    page.keyboard.press("/")
    page.keyboard.type("stat")
    expect(page.locator("#query-help").get_by_role("option", selected=True)).to_contain_text(
        "status:"
    )
    expect(box).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("Tab")
    expect(box).to_have_value("status:")
    expect(page.locator("#query-help").get_by_role("option", name="failed")).to_contain_text(
        "Failed"
    )
    page.keyboard.type("fa")
    expect(page.locator("#query-help").get_by_role("option", selected=True)).to_contain_text(
        "failed"
    )
    assert find_violations(page) == []
    page.keyboard.press("ArrowDown")  # which takes the only one again
    page.keyboard.press("Enter")
    expect(box).to_have_value("status:failed ")
    expect(page.get_by_text("Reads as failed")).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/jobs/\?q=status%3Afailed"))
    expect(page.locator("tr[data-status]").first).to_have_attribute("data-status", "failed")
    expect(box).to_have_value("status:failed")


def test_a_wrong_query_is_marked_and_the_list_stays(page: Page) -> None:
    # without the jobs of the tests before this one, which may still fail
    page.goto(f"{JOBS}?q=status:failed+created:<1d")
    rows = page.locator("tr[data-status]").count()
    assert rows
    box = page.get_by_role("combobox", name="Search jobs")
    box.fill("status:failed provder:x")
    expect(page.locator("#query-help mark")).to_have_text("provder")
    assert find_violations(page) == []
    page.keyboard.press("Enter")
    expect(page.locator("#query-help")).to_contain_text(
        "The list still shows the last valid search"
    )
    expect(page.locator("tr[data-status]")).to_have_count(rows)
    expect(box).to_have_value("status:failed provder:x")
    box.press("End")
    expect(page.locator("#query-help").get_by_role("option", name="provider")).to_be_visible()
    page.keyboard.press("Tab")
    expect(box).to_have_value("status:failed provider:x")
    page.keyboard.press("Escape")
    expect(page.locator("#query-help")).to_be_hidden()
    expect(box).to_have_value("status:failed provider:x")
