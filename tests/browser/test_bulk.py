"""Selecting jobs in the list, and what is done with them, by mouse and by keyboard."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stack import Stack
from tests.browser.test_encode_and_play import pill, submit

pytestmark = pytest.mark.browser

# a page of something that is under way asks within
POLLED_MS = 6_000


def fail(page: Page, stack: Stack, name: str) -> str:
    """The id of a job that has failed."""
    submit(page, stack.clip(f"corrupt.mp4?{name}"), mp4=["360"])
    expect(pill(page, "Failed")).to_be_visible()
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
    expect(page.locator(".bulk-counts")).to_contain_text("2 done")
    expect(page.get_by_role("heading", level=1)).to_have_text("Retry of 2 jobs")
    page.get_by_role("link", name="Show these jobs").click()
    expect(page.locator("#rows tr")).to_have_count(2)

    for pk in chosen:
        page.locator(f"#job-{pk} .pick").check()
    bar = page.get_by_role("form", name="Selected jobs")
    bar.get_by_role("button", name="Add to a batch…").click()
    page.get_by_label("Or the name of a new batch").fill("Festival")
    page.get_by_role("button", name="Add 2 jobs").click()
    expect(page.locator(".bulk-counts")).to_contain_text("2 done", timeout=POLLED_MS)
    page.get_by_role("link", name="Batch", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Festival")
    expect(page.locator("tbody tr")).to_have_count(2)


def test_all_that_match_are_confirmed_watched_and_stopped_by_mouse(
    page: Page, stack: Stack
) -> None:
    chosen = [fail(page, stack, name) for name in ("third", "fourth")]
    page.goto(f"{stack.url}/o/harbor/jobs/?q=id:{','.join(chosen)}")
    page.locator(f"#job-{chosen[0]} .pick").check()
    page.get_by_role("radio", name="All").check()
    with slow_retries(stack):
        page.get_by_role("form", name="Selected jobs").get_by_role("button", name="Retry…").click()
        expect(page.locator(".bulk-query")).to_have_text(f"id:{','.join(chosen)}")
        page.get_by_role("button", name="Retry 2 jobs").click()
        expect(page.locator(".bulk-counts")).to_contain_text("2 waiting")
        sidebar = page.get_by_role("navigation", name="Bulk actions")
        expect(sidebar).to_contain_text("1 running")
        page.get_by_role("button", name="Stop").click()
        expect(page.locator(".bulk-counts")).to_contain_text("Stopped")
        expect(sidebar).to_be_hidden()
    page.get_by_role("button", name="Run the rest").click()
    expect(page.locator(".bulk-counts")).to_contain_text("2 done")
    page.get_by_role("link", name="2 done").click()
    expect(page.locator(".bulk-results tbody tr")).to_have_count(2)


def test_all_that_match_are_confirmed_watched_and_stopped_by_keyboard(
    page: Page, stack: Stack
) -> None:
    pk = fail(page, stack, "keys")
    page.goto(f"{stack.url}/o/harbor/jobs/?q=id:{pk}")
    page.locator(f"#job-{pk} .pick").focus()
    page.keyboard.press("Space")
    # from the chosen scope the arrows lead to the others
    page.get_by_role("radio", name="Selected").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("radio", name="All")).to_be_checked()
    with slow_retries(stack):
        press(page, "Retry…")
        expect(page.locator(".bulk-query")).to_contain_text(f"id:{pk}")
        press(page, "Retry 1 job")
        expect(page.locator(".bulk-counts")).to_contain_text("1 waiting")
        press(page, "Stop")
        expect(page.locator(".bulk-counts")).to_contain_text("Stopped")
    press(page, "Run the rest")
    expect(page.locator(".bulk-counts")).to_contain_text("1 done")


@contextmanager
def slow_retries(stack: Stack) -> Iterator[None]:
    """So that one is under way for as long as it takes to stop it."""
    stack.set_faults(slow={"rate": 1, "delay_s": 15, "path": "/resubmit"})
    try:
        yield
    finally:
        stack.set_faults(slow=0)


def press(page: Page, name: str) -> None:
    """The button, with the tab key from what precedes it, and the enter key."""
    button = page.get_by_role("button", name=name, exact=True)
    for _ in range(60):
        if button.evaluate("element => element === document.activeElement"):
            break
        page.keyboard.press("Tab")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
