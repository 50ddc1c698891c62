"""Being told in the browser that a job has ended, on other pages and behind another tab."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.accessibility import inspect
from tests.browser.stack import Stack
from tests.browser.test_encode_and_play import submit

pytestmark = pytest.mark.browser

# a tab that nobody looks at, in a browser that was allowed to show notices
BEHIND = """
Object.defineProperty(document, "hidden", { get: () => true });
window.shown = [];
window.Notification = class {
  static permission = "granted";
  constructor(title, options) { window.shown.push(options.body); }
};
"""


def test_a_job_that_ends_is_shown_on_any_page_until_it_is_dismissed(
    page: Page, stack: Stack
) -> None:
    submit(page, stack.clip("good.mp4?notice"), mp4=["360"])
    page.get_by_role("button", name="Notify me when it ends").click()
    button = page.get_by_role("button", name="Don't notify me")
    expect(button).to_be_focused()
    behind = page.context.new_page()
    behind.add_init_script(BEHIND)
    behind.clock.install()
    behind.goto("/o/harbor/accounts/")
    page.goto("/o/harbor/jobs/")
    toast = page.locator(".toast-notice")
    expect(toast).to_contain_text("Succeeded")
    expect(page.locator("#announcer")).to_contain_text("good.mp4 Succeeded.")
    inspect(page)

    # it asks no more than each half minute
    behind.clock.fast_forward(31_000)
    expect(behind.locator(".toast-notice")).to_be_visible()
    behind.wait_for_function("window.shown.length")
    assert behind.evaluate("window.shown") == ["good.mp4 Succeeded"]
    behind.close()

    # what nobody saw is there on the next page, and is not said again
    page.goto("/o/harbor/files/")
    expect(toast).to_be_visible()
    toast.get_by_role("button", name="Dismiss").click()
    expect(toast).to_have_count(0)
    expect(page.locator("#content")).to_be_focused()
    page.reload()
    expect(page.locator("#toasts")).to_be_hidden()
    expect(page.locator("#announcer")).to_be_empty()
