"""One board and one browser for all of these tests; a fresh, signed-in page for each.

The browser is gone before tests of other packages: none that asks the database runs beside it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests import services
from tests.browser.stack import EMAIL, PASSWORD, Stack
from tests.waiting import PATIENCE_MS

# What htmx logs for a request that a newer one replaced, or that leaving the page ended: nothing
# is wrong. A request that fails is also logged as htmx:sendError, htmx:timeout or responseError.
ABORTED = ("htmx:sendAbort", "htmx:afterRequest")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
    # Of several such flags the last counts, so that Playwright's own are here again.
    "--disable-features=AvoidUnnecessaryBeforeUnloadCheckSync,DestroyProfileOnBrowserClose"
    ",HttpsUpgrades,HttpsFirstBalancedModeAutoEnable,LensOverlay,MediaRouter,PaintHolding"
    ",ThirdPartyStoragePartitioning,AvoidCorsURLLoaderRestartOnRedirect,OptimizationHints"
    ",NetworkTimeServiceQuerying,AimEnabled,PreconnectToSearch"
    # two pages of the address bar, for each new window, at half of the window's cost
    ",WebUIOmniboxPopup,WebUIOmniboxAimPopup,WebUIOmniboxFullPopup",
]  # fmt: skip


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[Stack]:
    if worker_id != "master":  # fails in a second process: starting a board takes half a minute
        (tmp_path_factory.getbasetemp().parent / "board-of-this-run").mkdir()
    stack = Stack(tmp_path_factory.mktemp("board"))
    try:
        stack.start()
        yield stack
    finally:
        stack.stop()


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=services.CHROMIUM.address, args=FLAGS)
        chromium.on("context", lambda context: context.set_default_timeout(PATIENCE_MS))
        expect.set_options(timeout=PATIENCE_MS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def signed_in(stack: Stack, browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cookies of the owner, so that each test need not sign in anew."""
    return keep_session(stack, browser, EMAIL, tmp_path_factory.mktemp("session") / "owner.json")


def keep_session(stack: Stack, browser: Browser, email: str, path: Path) -> Path:
    page = browser.new_page()
    sign_in(page, stack, email)
    page.context.storage_state(path=path)
    page.context.close()
    return path


def sign_in(page: Page, stack: Stack, email: str) -> None:
    page.goto(f"{stack.url}/accounts/login/")
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(re.compile(r"/o/[^/]+/$"))


@pytest.fixture
def page(stack: Stack, browser: Browser, signed_in: Path) -> Iterator[Page]:
    """A page of the owner's; a console message that is not a note fails the test."""
    context = browser.new_context(
        base_url=stack.url,
        storage_state=signed_in,
        viewport={"width": 1280, "height": 900},
        # an icon that turns is painted sixty times a second, by the processor alone
        reduced_motion="reduce",
    )
    complaints: list[str] = []
    page = context.new_page()
    page.on("console", lambda message: complaints.extend(_complaint(message)))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.expected_complaints = ()  # type: ignore[attr-defined]
    yield page
    # before the page is closed, which ends a poll that is under way
    unexpected = [text for text in complaints if not _is_expected(page, text)]
    context.close()
    assert unexpected == []


def is_complaint(message: ConsoleMessage) -> bool:
    return message.type in ("error", "warning") and not message.text.startswith(ABORTED)


def _complaint(message: ConsoleMessage) -> list[str]:
    return [f"{message.type}: {message.text}"] if is_complaint(message) else []


def _is_expected(page: Page, text: str) -> bool:
    return any(part in text for part in page.expected_complaints)  # type: ignore[attr-defined]
