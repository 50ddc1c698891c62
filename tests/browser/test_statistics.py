"""The charts of the statistics, and the tables behind them."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

STATS = "/o/harbor/stats/"


def colour_of_bars(page: Page) -> str:
    """The colours of the chart of outcomes, as a picture."""
    picture: str = page.locator("#plot-outcomes canvas").evaluate("one => one.toDataURL()")
    return picture


def test_charts_follow_the_theme_the_filters_and_the_width(page: Page) -> None:
    page.goto(f"{STATS}?span=24h")
    expect(page.locator(".plot canvas")).to_have_count(5)
    before = colour_of_bars(page)
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    expect(page.locator(".plot canvas")).to_have_count(5)
    assert colour_of_bars(page) != before

    page.get_by_role("combobox").fill("http")
    page.wait_for_url(re.compile("q=http"))
    expect(page.locator("#filters")).to_contain_text("Clear")
    expect(page.locator(".plot canvas")).to_have_count(5)

    page.set_viewport_size({"width": 700, "height": 900})
    expect(page.locator("#plot-wait .u-wrap")).to_have_css(
        "width", f"{page.locator('#plot-wait').evaluate('one => one.clientWidth')}px"
    )


def test_a_long_table_comes_when_it_is_opened(page: Page) -> None:
    page.goto(f"{STATS}?span=90d")
    table = page.locator("#table-run")
    expect(table.get_by_role("row")).to_have_count(0)
    page.get_by_role("region", name="Run time").locator("summary").press("Enter")
    expect(table.get_by_role("row")).to_have_count(91)


def test_a_figure_leads_to_its_jobs(page: Page) -> None:
    page.goto(f"{STATS}?span=24h")
    figure = page.locator(".figures a").first
    number = int((figure.text_content() or "").strip())
    assert number > 0
    figure.click()
    page.wait_for_url(re.compile(r"/jobs/\?.*finished_after"))
    expect(page.locator("#rows tr")).to_have_count(min(number, 50))
