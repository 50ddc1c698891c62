"""Pictures of the main pages for the documents: `make demo` in one terminal, then
`make screenshots`.

Each page at the widths and in the themes of VIEWS, as PNG files in docs/screenshots/. Needs
Chromium; CHROMIUM gives its path where it is not found. BOARD, EMAIL and PASSWORD point to
another board than the demo's.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin

from playwright.sync_api import Browser, Error, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "screenshots"
VIEWS = ((1440, "light"), (1440, "dark"), (375, "light"), (375, "dark"))
# an account of the demo, whose form has most to show
ACCOUNT = "Zencoder"
# another one, which can do less
OTHER_ACCOUNT = "Video SDK"
# an organization of the demo where nothing failed
CALM = "/o/northlight/"
# what the demo submits, so that its outputs are there to be played
CLIP = "good.mp4"
# muted: the browser plays aloud only what a person asked for
PLAY_A_LITTLE = """async video => {
  video.muted = true;
  await video.play();
  while (video.currentTime < 2) await new Promise(resolve => setTimeout(resolve, 100));
  video.pause();
}"""
# of whole pages no more than this: the rest of a list looks like its beginning
MAX_HEIGHT = 1200


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
    sign_in(page)
    for name, path in pages(page):
        take(page, name, path)
    for name, path in acts(page):
        take(page, name, path)


def sign_in(page: Page) -> None:
    password = os.environ.get("PASSWORD") or (ROOT / "var" / "demo_password").read_text()
    page.goto("/accounts/login/")
    page.get_by_label("E-mail address").fill(os.environ.get("EMAIL", "demo@example.com"))
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/o/[^/]+/$"))


def pages(page: Page) -> Iterator[tuple[str, str]]:
    """Name and path of each page; a job of a status where there is one."""
    organization = page.url.removesuffix("/")
    jobs = f"{organization}/jobs"
    yield "overview", f"{organization}/"
    yield "overview-calm", CALM
    yield "jobs", f"{jobs}/"
    yield "jobs-query", f"{jobs}/?q=status:failed+created:>30d"
    yield "jobs-query-error", f"{jobs}/?q=status:failed+provder:zencoder"
    yield "jobs-empty", f"{jobs}/?q=name:nothing-is-called-like-this"
    if running := first(page, f"{jobs}/?status=running", ".job-name"):
        yield "job-running", running
    if failed := first(page, f"{jobs}/?status=failed&error=input.*", ".job-name"):
        yield "job-failed", failed
    if succeeded := first(
        page, f"{jobs}/?status=succeeded&q={CLIP}&account={ACCOUNT}", ".job-name"
    ):
        yield "job-succeeded", first(page, succeeded, ".output-links [href^='?play']")
    page.goto(f"{jobs}/new/")
    account = page.get_by_role("radio", name=ACCOUNT).get_attribute("value")
    yield "job-new", first(page, f"{jobs}/new/?account={account}", ".samples a")
    yield "accounts", f"{organization}/accounts/"
    if edit := first(page, f"{organization}/accounts/", f".account-link:has-text('{ACCOUNT}')"):
        yield "account", edit
    if preset := first(page, f"{organization}/presets/", ".row-link"):
        yield "preset", preset
    yield "files", f"{organization}/files/?status=succeeded"
    yield "presets", f"{organization}/presets/"
    yield "errors", f"{organization}/errors/"
    if error := first(page, f"{organization}/errors/", ".group-title .row-link"):
        yield "error", error
    yield "statistics", f"{organization}/stats/?span=24h"
    for section in ("members", "roles", "tokens", "audit"):
        yield f"settings-{section}", f"{organization}/settings/{section}/"


def acts(page: Page) -> Iterator[tuple[str, str]]:
    """The pages that act on many jobs, for which a batch is submitted and some jobs are retried."""
    organization = "/".join(page.url.split("/")[:5])
    jobs, new_batch = f"{organization}/jobs/", f"{organization}/batches/new/"
    retry = f"{organization}/bulk/new/?action=resubmit&q=status:failed+provider:zencoder"
    yield "jobs-selected", jobs
    yield "bulk-confirm", retry
    page.goto(retry)
    page.get_by_label("At most").fill("12")
    page.locator("form .btn-primary").last.click()
    page.wait_for_url(re.compile(r"/bulk/\d+/$"))
    yield "bulk-progress", page.url
    yield "batch-new", new_batch
    page.goto(new_batch)
    check_inputs(page)
    page.get_by_role("button", name=re.compile("Submit .* job")).click()
    page.wait_for_url(re.compile(r"/batches/\d+/$"))
    batch = page.url
    page.locator(".pill-failed").first.wait_for(timeout=120_000)
    yield "batch", batch
    failed = first(page, f"{jobs}?q=status:failed+batch:{batch.split('/')[-2]}", ".job-name")
    page.goto(first(page, failed, ".action-elsewhere"))
    other = page.locator("[name=account] option", has_text=OTHER_ACCOUNT).get_attribute("value")
    yield "retry-elsewhere", f"{page.url}?account={other}"


def check_inputs(page: Page) -> None:
    """Fill in the form for a new batch, with bad lines among the good ones, and check it."""
    page.locator(".account-tile", has_text=ACCOUNT).click()
    page.get_by_role("button", name="Show the settings of this choice").click()
    page.get_by_label("Name", exact=True).fill(f"reels-{os.urandom(2).hex()}")
    form = page.evaluate("fetch('../../jobs/new/').then(answer => answer.text())")
    [good] = re.findall(rf'data-sample="([^"]*{CLIP})"', form)
    bad = good.replace(CLIP, "corrupt.mp4")
    lines = ["input,name,metadata.reel,priority", f"{good},Reel 0001 A,1,0", f"{bad},Reel 0002,2,0"]
    lines += [f"{good},Reel 0001 A,1,0", f"{good},Reel 0003 A,3,urgent", "reel_0004.mov,Reel 0004"]
    page.get_by_label("Inputs", exact=True).fill("\n".join(lines))
    page.get_by_role("button", name="Check the inputs").last.click()
    page.get_by_text("What will be sent").wait_for()


def select_three(page: Page) -> None:
    for box in page.locator("tbody [type=checkbox]").all()[:3]:
        if box.is_visible():
            box.check()


# what a page is like when its picture is taken
PREPARED = {"jobs-selected": select_three, "batch-new": check_inputs}
# on a phone, rows have no boxes
WIDE_ONLY = {"jobs-selected"}


def first(page: Page, path: str, selector: str) -> str:
    """Where the first such link of a page leads to; empty without one."""
    page.goto(path)
    found = page.locator(selector)
    return urljoin(path, found.first.get_attribute("href") or "") if found.count() else ""


def take(page: Page, name: str, path: str) -> None:
    for width, theme in VIEWS:
        if width < 768 and name in WIDE_ONLY:
            continue
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(path)
        page.wait_for_timeout(1000)
        if name in PREPARED:
            PREPARED[name](page)
        video = page.locator("video")
        if video.count():
            video.evaluate(PLAY_A_LITTLE)
        height = page.evaluate("document.documentElement.scrollHeight")
        # a window as tall as the page, so that what sticks to its edges is where it belongs
        page.set_viewport_size({"width": width, "height": min(height, MAX_HEIGHT)})
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(500)
        page.screenshot(path=FOLDER / f"{name}-{width}-{theme}.png")


if __name__ == "__main__":
    main()
