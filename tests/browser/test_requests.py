"""What requests are made of, by mouse and by keyboard: templates, batches, and other providers."""

import csv
import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.stack import Stack
from tests.browser.test_encode_and_play import choose, pill, send

pytestmark = pytest.mark.browser

Use = Callable[[Locator], None]


@pytest.fixture(params=["mouse", "keyboard"])
def hand(request: pytest.FixtureRequest) -> str:
    way: str = request.param
    return way


@pytest.fixture
def use(page: Page, hand: str) -> Use:
    """A click; or the tab key from what precedes it, and the enter key."""

    def press(target: Locator) -> None:
        reach(page, target)
        page.keyboard.press("Enter")

    return press if hand == "keyboard" else lambda target: target.click()


def reach(page: Page, target: Locator) -> None:
    expect(target).to_be_visible()
    for _ in range(120):
        if target.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    expect(target).to_be_focused()


def pick(page: Page, hand: str, select: Locator, label: str) -> None:
    """Choose from a list: by what is typed, as browsers have it, or at once."""
    if hand == "keyboard":
        reach(page, select)
        page.keyboard.type(label)
    else:
        select.select_option(label=label)


def test_a_template_is_saved_from_the_form_and_used(
    page: Page, stack: Stack, use: Use, hand: str
) -> None:
    name = f"Trailers by {hand}"
    choose(page, "Zencoder")
    for box in page.locator("input[name=hls], input[name=mp4]").all():
        box.set_checked(box.get_attribute("value") == "720")
    use(page.locator(".save-template > summary"))
    reach(page, page.get_by_label("Name of the template"))
    page.keyboard.type(name)
    use(page.get_by_role("button", name="Save new template"))
    expect(page.locator(".template-line")).to_contain_text(name)

    page.goto("/o/harbor/settings/templates/")
    use(page.get_by_role("link", name=name))
    use(page.get_by_role("link", name="New job"))
    page.get_by_role("radio", name="Zencoder").check()
    expect(page.locator("input[name=hls]:checked, input[name=mp4]:checked")).to_have_count(2)
    page.get_by_label("Source file").fill(stack.clip(f"corrupt.mp4?{hand}-template"))
    send(page)
    expect(page.locator("main")).to_contain_text(re.compile(rf"Template\s+{name},\s+version 1"))


def test_bad_lines_of_a_file_are_marked_and_downloaded_and_the_good_ones_sent(
    page: Page, stack: Stack, use: Use, hand: str, tmp_path: Path
) -> None:
    good = stack.clip(f"corrupt.mp4?{hand}-batch")
    text = f"input,mp4\n{good},240\nno url,240\n{good},tall\n"
    page.goto("/o/harbor/batches/new/")
    page.get_by_role("radio", name="Zencoder").check()
    use(page.get_by_role("button", name="Show the settings of this choice"))
    expect(page.get_by_role("radio", name="Zencoder")).to_be_checked()
    page.get_by_label("Name", exact=True).fill(f"Trailers by {hand}")
    if hand == "keyboard":
        reach(page, page.get_by_label("Inputs", exact=True))
        page.keyboard.insert_text(text)
    else:
        file = tmp_path / "trailers.csv"
        file.write_text(text)
        page.get_by_label("CSV file").set_input_files(file)
    use(page.get_by_role("button", name="Check the inputs").last)
    expect(page.get_by_role("button", name="Submit 1 job")).to_be_visible()
    expect(page.locator(".batch-problems tbody tr")).to_have_count(2)
    with page.expect_download() as download:
        use(page.get_by_role("button", name="Download these lines as CSV"))
    content = download.value.path().read_text("utf-8-sig")
    assert [row[0] for row in csv.reader(io.StringIO(content))] == ["line", "3", "4"]
    use(page.get_by_role("button", name="Submit 1 job"))
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Trailers by {hand}")
    expect(page.locator("#batch-live tbody tr")).to_have_count(1, timeout=30_000)


def test_what_another_provider_keeps_changes_and_leaves_out_is_seen_before_it_is_sent(
    page: Page, stack: Stack, use: Use, hand: str
) -> None:
    choose(page, "Zencoder")
    page.get_by_label("Source file").fill(stack.clip(f"corrupt.mp4?{hand}-elsewhere"))
    page.get_by_label("Destination").fill("s3://results/harbour/")
    page.get_by_text("At times", exact=True).click()
    page.get_by_label("Thumbnails").fill("1.5")
    send(page)
    expect(pill(page, "Failed")).to_be_visible()
    failed = page.url
    use(page.get_by_role("link", name="Retry at another provider…"))
    pick(page, hand, page.get_by_label("To", exact=True), "Video SDK (Video SDK)")
    use(page.get_by_role("button", name="Show what changes"))
    lines = {"kept": "MP4 360p", "approximated": "1.5", "dropped": "s3://results/harbour/"}
    for name, line in lines.items():
        expect(page.locator(f"#{name}")).to_contain_text(line)
    use(page.get_by_role("button", name="Send to Video SDK"))
    expect(page.locator(".job-head")).to_contain_text("Video SDK")
    assert page.url != failed
