"""Action buttons while the page changes under the pointer, and between two open pages."""

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.stack import Stack
from tests.browser.test_encode_and_play import pill, submit

pytestmark = pytest.mark.browser


def box(button: Locator) -> tuple[float, float, float, float]:
    """Left, top, right and bottom."""
    found = button.bounding_box()
    assert found
    x, y = found["x"], found["y"]
    return x, y, x + found["width"], y + found["height"]


def test_a_button_that_goes_makes_no_room_for_another_and_hands_its_focus_on(
    page: Page, stack: Stack
) -> None:
    submit(page, stack.clip("good.mp4?places"), hls=["240"], mp4=["360"])
    expect(page.locator(".progress-panel progress")).to_be_visible()
    actions = page.locator("#actions")
    cancel = actions.get_by_role("button", name="Cancel")
    cancel.focus()
    left, top, right, bottom = box(cancel)
    before = box(page.locator("#do-resubmit"))
    expect(pill(page, "Succeeded")).to_be_visible()

    expect(cancel).to_have_count(0)
    for button in actions.locator(".btn").all():
        other = box(button)
        assert other[0] >= right or other[2] <= left or other[1] >= bottom or other[3] <= top
    assert box(page.locator("#do-resubmit"))[0] == before[0]
    assert page.evaluate("document.activeElement.closest('#actions') !== null")


def test_a_retry_is_offered_for_what_the_page_shows_and_said_on_every_page(
    page: Page, stack: Stack
) -> None:
    """The page is open from before the job failed; another is opened after that."""
    submit(page, stack.clip("corrupt.mp4?retried"), mp4=["360"])
    expect(pill(page, "Failed")).to_be_visible()
    failed = page.url
    colleague = page.context.new_page()
    colleague.goto(failed)
    stale = colleague.locator("#action-resubmit").inner_html()

    page.locator("#do-resubmit").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Retry", exact=True).click()
    page.wait_for_url(lambda url: url != failed and "resubmit" not in url)
    expect(page.locator(".job-head")).to_contain_text("Attempt 2")

    said = colleague.locator("#retried")
    expect(said).to_contain_text("Retried as job")
    retry = said.get_by_role("link", name="job ")
    expect(retry).to_have_js_property("href", page.url)
    expect(pill(page, "Failed")).to_be_visible()

    # the form as it was before the retry, as a page shows it that no poll has reached
    colleague.expected_complaints = ("409",)  # type: ignore[attr-defined]
    colleague.evaluate(
        "html => { document.getElementById('action-resubmit').innerHTML = html;"
        " document.getElementById('action-resubmit').submit(); }",
        stale,
    )
    refusal = colleague.locator("#refusal")
    expect(refusal).to_contain_text("was not retried.")
    expect(refusal.get_by_role("link")).to_have_js_property("href", page.url)
    colleague.close()
