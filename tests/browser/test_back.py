"""The browser's Back, which Playwright's Chromium serves without its back-forward cache."""

import re

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

JOBS = "/o/harbor/jobs/"


def filter_by_account(page: Page, path: str) -> str:
    """Choose an account in the filter of a list; return the URL of the list."""
    page.goto(path)
    page.locator("#filter-account").select_option(label="Zencoder")
    page.wait_for_url(re.compile(r"[?&]account=\d"))
    expect(page.locator("#results")).to_be_visible()
    return page.url


@pytest.mark.parametrize("path", [JOBS, "/o/harbor/files/", "/o/harbor/presets/"])
def test_a_filtered_list_comes_back_whole(page: Page, path: str) -> None:
    page.goto(f"{JOBS}?status=succeeded")
    names = page.locator(".job-name").all()[:8]
    jobs = [name.get_attribute("href") or "" for name in names]
    assert len(jobs) == 8
    url = filter_by_account(page, path)
    for job in jobs:
        page.goto(job)
    for _ in jobs:
        page.go_back()

    assert page.url == url
    chosen = page.locator("#filter-account option:checked")
    expect(chosen).to_have_text("Zencoder")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    assert page.evaluate("document.styleSheets.length") > 2

    page.go_back()
    expect(page.locator("#filter-account option:checked")).to_have_text("Any")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def test_jobs_on_a_jobs_page_leads_to_the_list_as_it_was(page: Page) -> None:
    page.goto(f"{JOBS}?status=failed")
    page.locator("#filter-account").select_option(label="Zencoder")
    page.wait_for_url(re.compile(r"[?&]account=\d"))
    url = page.url
    page.locator(".job-name").first.click()
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    # what came before is the job's own page now, as it is after one of its forms
    page.evaluate("location.href = location.href")
    page.wait_for_load_state()
    for link in (page.locator(".crumb a"), page.locator(".side-nav a[aria-current]")):
        expect(link).to_have_js_property("href", url)
    page.locator(".crumb a").click()
    page.wait_for_url(url)
    expect(page.locator("#filter-account option:checked")).to_have_text("Zencoder")


def test_what_was_typed_and_filtered_is_forgotten_with_the_sign_out(page: Page) -> None:
    page.goto(f"{JOBS}?status=failed")
    page.goto(f"{JOBS}new/")
    assert page.evaluate("sessionStorage.length") > 0
    page.locator(".side-user summary").click()
    # the session itself stays, for the tests that share it
    page.route("**/accounts/logout/", lambda route: route.fulfill(body="signed out"))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("signed out")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0
