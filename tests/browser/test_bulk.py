"""Selecting jobs in the list, and what is done with them, by mouse and by keyboard."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stack import Stack
from tests.browser.test_encode_and_play import ENCODED_MS, pill, submit

pytestmark = pytest.mark.browser

# a page of something that is under way asks within
POLLED_MS = 6_000


def fail(page: Page, stack: Stack, name: str) -> str:
    """The id of a job that has failed."""
    submit(page, stack.clip(f"corrupt.mp4?{name}"), mp4=["360"])
    expect(pill(page, "Failed")).to_be_visible(timeout=ENCODED_MS)
    return page.url.rstrip("/").rpartition("/")[2]


def test_selected_jobs_are_retried_and_watched_by_mouse(page: Page, stack: Stack) -> None:
    chosen = [fail(page, stack, name) for name in ("first", "second")]
    page.goto(f"{page.url.partition('jobs/')[0]}jobs/?status=failed&sort=-created")
    first = page.locator("#rows tr").first
    before = first.bounding_box()
    for pk in chosen:
        page.locator(f"#job-{pk} .pick").check()
    # the bar takes the place of the filters, so that no row moves
    expect(page.locator("#filters")).to_be_hidden()
    assert first.bounding_box() == before
    page.wait_for_timeout(POLLED_MS)
    expect(page.locator(".pick:checked")).to_have_count(2)
    page.get_by_role("button", name="Clear the selection").click()
    expect(page.locator("#filters")).to_be_visible()

    for pk in chosen:
        page.locator(f"#job-{pk} .pick").check()
    page.get_by_role("form", name="Selected jobs").get_by_role("button", name="Retry…").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Retry 2 of 2 jobs?")
    page.get_by_label("Reason, for the audit log").fill("Source replaced")
    page.get_by_role("button", name="Retry 2 jobs").click()
    expect(page.locator(".bulk-counts")).to_contain_text("2 done", timeout=ENCODED_MS)
    expect(page.get_by_role("heading", level=1)).to_have_text("Retry of 2 jobs")
    page.get_by_role("link", name="Show these jobs").click()
    expect(page.locator("#rows tr")).to_have_count(2)


def test_all_that_match_are_confirmed_by_keyboard(page: Page, stack: Stack) -> None:
    pk = fail(page, stack, "keys")
    page.goto(f"{page.url.partition('jobs/')[0]}jobs/?q=id:{pk}")
    page.locator(f"#job-{pk} .pick").focus()
    page.keyboard.press("Space")
    page.get_by_role("radio", name="All").focus()
    page.keyboard.press("Space")
    page.get_by_role("form", name="Selected jobs").get_by_role("button", name="Retry…").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".bulk-query")).to_contain_text(f"id:{pk}")
    page.get_by_role("button", name="Retry 1 job").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".bulk-counts")).to_contain_text("1 done", timeout=ENCODED_MS)
