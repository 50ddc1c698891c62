"""What axe, and a narrow screen, have against a page."""

from pathlib import Path
from typing import Literal

from playwright.sync_api import Page

AXE = Path(__file__).parent / "vendor" / "axe.min.js"
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


# the themes differ in their colors alone
COLORS = "runOnly: ['color-contrast', 'link-in-text-block'], "


def find_violations(page: Page, rules: str = "") -> list[str]:
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate(AXE.read_text())
    found = page.evaluate(f"axe.run({{{rules}resultTypes: ['violations']}})")
    return [
        f"{rule['id']}: {node['target']} {node['failureSummary']}"
        for rule in found["violations"]
        for node in rule["nodes"]
    ]


def inspect(page: Page) -> None:
    """Look at the page as it is, wide in the light theme and narrow in the dark one."""
    for theme, width in zip(THEMES, (1440, 375), strict=True):
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        assert find_violations(page) == [], (page.url, theme)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, page.url


def follow(page: Page, link: str) -> None:
    """Click and wait for the page that it leads to, which a click by itself does not."""
    with page.expect_navigation():
        page.get_by_role("link", name=link).click()
