"""The browser's Back, which Playwright's Chromium serves without its back-forward cache."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.stack import Stack

pytestmark = pytest.mark.browser

JOBS = "/o/harbor/jobs/"


def filter_by_account(page: Page, path: str) -> str:
    """Choose an account in the filter of a list; return the URL of the list."""
    page.goto(path)
    choose_account(page)
    expect(page.locator("#results")).to_be_visible()
    return page.url


def choose_account(page: Page) -> None:
    page.locator("#filter-account summary").click()
    page.locator("#filter-account").get_by_role("link", name="Zencoder", exact=True).click()
    page.wait_for_url(re.compile(r"[?&]account=\d"))


# a long way back once: the lists have all that matters here in common
@pytest.mark.parametrize(
    ("path", "steps"), [(JOBS, 8), ("/o/harbor/files/", 2), ("/o/harbor/presets/", 2)]
)
def test_a_filtered_list_comes_back_whole(page: Page, path: str, steps: int) -> None:
    page.goto(f"{JOBS}?status=succeeded")
    names = page.locator(".job-name").all()[:steps]
    jobs = [name.get_attribute("href") or "" for name in names]
    assert len(jobs) == steps
    url = filter_by_account(page, path)
    for job in jobs:
        page.goto(job)
    for _ in jobs:
        page.go_back()

    assert page.url == url
    chosen = page.locator("#filter-account summary")
    expect(chosen).to_have_text("Account: Zencoder")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    assert page.evaluate("document.styleSheets.length") == 2

    page.go_back()
    expect(chosen).to_have_text("Account")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def test_jobs_on_a_jobs_page_leads_to_the_list_as_it_was(page: Page) -> None:
    page.goto(f"{JOBS}?status=failed")
    choose_account(page)
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
    expect(page.locator("#filter-account summary")).to_have_text("Account: Zencoder")


def test_what_was_typed_and_filtered_is_forgotten_with_the_sign_out(page: Page) -> None:
    page.goto(f"{JOBS}?status=failed")
    page.goto(f"{JOBS}new/")
    assert page.evaluate("sessionStorage.length") > 0
    page.locator(".top-user summary").click()
    # the session itself stays, for the tests that share it
    page.route("**/accounts/logout/", lambda route: route.fulfill(body="signed out"))
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("signed out")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def open_form(page: Page, account: str) -> None:
    page.goto(f"{JOBS}new/")
    choice = page.get_by_role("radio", name=account)
    choice.check()
    chosen = choice.input_value()
    expect(page.locator("input[name=fields_of]")).to_have_value(chosen)
    # of the account that is chosen already the fields are swapped, too
    page.wait_for_load_state("networkidle")


def assert_typed(page: Page, clip: str) -> None:
    chosen = page.get_by_role("radio", name="Xvid")
    expect(chosen).to_be_checked()
    expect(page.locator("input[name=fields_of]")).to_have_value(chosen.input_value())
    expect(page.get_by_label("Source file")).to_have_value(clip)
    expect(page.get_by_label("Destination")).to_have_value("dawn/")
    expect(page.locator("input[name=presets]").nth(1)).to_be_checked()
    expect(page.locator("input[name=presets]").nth(0)).not_to_be_checked()
    expect(page.get_by_label("Extra settings")).to_have_value('{"region": "eu"}')


def test_new_job_comes_back_with_what_was_typed_and_the_first_submit_sends(
    page: Page, stack: Stack
) -> None:
    page.expected_complaints = ("422",)  # type: ignore[attr-defined]
    clip = f"{stack.clip('good.mp4')}?back"
    # not the account that is offered
    open_form(page, "Xvid")
    page.get_by_label("Destination").fill("dawn/")
    page.get_by_label("Extra settings").fill('{"region": "eu"}')
    page.get_by_role("button", name="Submit job").click()
    # what is wrong is said there, and the focus is on the first of it
    source = page.get_by_label("Source file")
    expect(source).to_be_focused()
    expect(page.locator("#id_input_error")).to_have_text("Enter the URL of the source file.")
    source.fill(clip)
    page.get_by_role("button", name="Submit job").click()
    expect(page.locator("#id_presets_error")).to_have_text("Choose at least one preset.")
    expect(page.locator("input[name=presets]").first).to_be_focused()
    page.locator("input[name=presets]").nth(1).check()

    page.get_by_role("link", name="Files").click()
    page.wait_for_url("**/files/")
    page.go_back()
    assert_typed(page, clip)
    page.get_by_role("button", name="Submit job").click()
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    first = page.url

    page.go_back()
    assert_typed(page, clip)
    page.get_by_label("Source file").fill(f"{clip}-again")
    page.get_by_role("button", name="Submit job").click()
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    assert page.url != first

    # another visit of the form is another job
    page.goto(f"{JOBS}new/")
    expect(page.get_by_label("Source file")).to_have_value("")
    expect(page.get_by_role("radio", name="Xvid")).to_be_checked()


def test_the_placement_of_thumbnails_comes_back_and_says_what_the_field_means(page: Page) -> None:
    open_form(page, "Zencoder")
    page.get_by_label("Source file").fill("https://media.example/dawn.mov")
    page.get_by_text("At times", exact=True).click()
    page.get_by_label("Thumbnails").fill("0:01, 0:02")
    expect(page.get_by_text("Times such as 0:05")).to_be_visible()
    expect(page.get_by_text("evenly spaced")).to_be_hidden()
    expect(page.locator("#preview-body")).to_contain_text('"times"')
    page.get_by_role("link", name="Files").click()
    page.wait_for_url("**/files/")
    page.go_back()
    expect(page.get_by_role("radio", name="At times")).to_be_checked()
    expect(page.get_by_label("Thumbnails")).to_have_value("0:01, 0:02")
    expect(page.get_by_role("radio", name="Count")).to_have_value("count")


def test_a_lost_connection_is_said_and_the_form_can_be_sent_again(page: Page, stack: Stack) -> None:
    page.expected_complaints = ("ERR_FAILED", "htmx:")  # type: ignore[attr-defined]
    open_form(page, "Zencoder")
    page.get_by_label("Source file").fill(f"{stack.clip('good.mp4')}?lost")
    page.route("**/jobs/new/", lambda route: route.abort())
    page.get_by_role("button", name="Submit job").click()
    expect(page.locator("#not-sent")).to_be_visible()
    page.unroute("**/jobs/new/")
    page.get_by_role("button", name="Submit job").click()
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))


def test_a_sample_fills_in_its_url_and_keeps_what_was_typed(page: Page, stack: Stack) -> None:
    open_form(page, "Zencoder")
    page.get_by_label("Destination").fill("s3://results/dawn/")
    page.get_by_label("Thumbnails").fill("7")
    page.get_by_role("link", name="good.mp4").click()
    expect(page.get_by_label("Source file")).to_have_value(stack.clip("good.mp4"))
    expect(page.get_by_label("Destination")).to_have_value("s3://results/dawn/")
    expect(page.get_by_label("Thumbnails")).to_have_value("7")
    expect(page.locator("#preview-body")).to_contain_text("good.mp4")
