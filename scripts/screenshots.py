"""Pictures of every page for the documents: `make demo` in one terminal, then `make screenshots`.

Each page at 1440 and 375 pixels, light and dark, as PNG files in docs/screenshots/. Needs
Chromium; CHROMIUM gives its path where it is not found. BOARD, EMAIL and PASSWORD point to
another board than the demo's.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Error, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
WIDTHS = (1440, 375)
THEMES = ("light", "dark")
# of whole pages no more than this: the rest of a list looks like its beginning
MAX_HEIGHT = 1500


def main() -> None:
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or ""
    if not chromium:
        sys.exit("No Chromium was found: apt-get install chromium, or give CHROMIUM its path.")
    board = os.environ.get("BOARD", f"http://127.0.0.1:{os.environ.get('PORT', '8000')}")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        try:
            take_all(browser, board)
        except Error as error:
            sys.exit(f"{board} could not be photographed: {error.message.splitlines()[0]}")


def take_all(browser: Browser, board: str) -> None:
    page = browser.new_page(base_url=board)
    take(page, "sign-in", "/accounts/login/")
    sign_in(page)
    for name, path in pages(page):
        take(page, name, path)


def sign_in(page: Page) -> None:
    password = os.environ.get("PASSWORD") or (ROOT / "var" / "demo_password").read_text()
    page.goto("/accounts/login/")
    page.get_by_label("Email").fill(os.environ.get("EMAIL", "demo@example.com"))
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/jobs/")


def pages(page: Page) -> Iterator[tuple[str, str]]:
    """Name and path of each page; a job of a status where there is one."""
    jobs = page.url.removesuffix("/")
    organization = jobs.removesuffix("/jobs")
    yield "jobs", jobs + "/"
    yield "jobs-failed", f"{jobs}/?status=failed"
    yield "jobs-none", f"{jobs}/?q=no+job+is+called+like+this"
    for status in ("succeeded", "failed", "running"):
        page.goto(f"{jobs}/?status={status}")
        if page.locator(".job-name").count():
            yield f"job-{status}", page.locator(".job-name").first.get_attribute("href") or ""
    yield "job-new", f"{jobs}/new/"
    yield "accounts", f"{organization}/accounts/"
    yield "account-new", f"{organization}/accounts/new/?provider=zencoder"
    yield "not-found", f"{organization}/nowhere/"


def take(page: Page, name: str, path: str) -> None:
    for theme in THEMES:
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(path)
            height = page.evaluate("document.documentElement.scrollHeight")
            # a window as tall as the page, so that what sticks to its edges is where it belongs
            page.set_viewport_size({"width": width, "height": min(height, MAX_HEIGHT)})
            page.wait_for_timeout(300)
            page.screenshot(path=FOLDER / f"{name}-{width}-{theme}.png")


if __name__ == "__main__":
    main()
