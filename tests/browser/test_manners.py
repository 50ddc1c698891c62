"""What a live page must not do to the person who works on it, and for whom it must work."""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.accessibility import COLORS, THEMES, find_violations
from tests.browser.conftest import keep_session
from tests.browser.stack import EMAIL, VIEWER, Stack
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.browser

JOBS = "/o/harbor/jobs/"
# a job of each look: finished, and failed with its panel of reasons
PAGES = [
    JOBS,
    f"{JOBS}?status=failed",
    f"{JOBS}?q=nothing-is-called-like-this",
    "first job",
    "failed job",
    f"{JOBS}new/",
    "new job at Xvid",
    "new job at Video SDK",
    "/o/harbor/files/",
    "/o/harbor/presets/",
    "/o/harbor/accounts/",
    "/o/harbor/accounts/new/?provider=zencoder",
    "/o/harbor/accounts/new/?provider=videosdk",
    "/o/harbor/settings/",
    "/o/harbor/settings/members/",
    "/o/harbor/settings/members/leave/",
    "/o/harbor/settings/roles/",
    "/organizations/",
    "/profile/",
    "/o/harbor/nowhere/",
]


def path_of(page: Page, name: str) -> str:
    if name.startswith("/"):
        return name
    if name.startswith("new job at "):
        page.goto(f"{JOBS}new/")
        account = name.removeprefix("new job at ")
        choice = page.get_by_role("radio", name=account)
        return f"{JOBS}new/?account={choice.get_attribute('value')}"
    page.goto(f"{JOBS}?status={'failed' if name == 'failed job' else 'succeeded'}")
    return page.locator(".job-name").first.get_attribute("href") or ""


def count_polls(page: Page) -> list[int]:
    statuses: list[int] = []
    page.on(
        "response",
        lambda answer: statuses.append(answer.status) if "/live/" in answer.url else None,
    )
    return statuses


def wait_for_polls(page: Page, polls: list[int], number: int) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while len(polls) < number:
        assert time.monotonic() < deadline, f"{len(polls)} polls in {PATIENCE_S} s"
        page.wait_for_timeout(200)


def poll_fast(page: Page) -> None:
    """Have the page poll as it does while a job is active."""
    page.evaluate("document.querySelector('tr[data-status]').dataset.status = 'running'")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


def test_focus_typed_text_and_an_open_menu_survive_three_polls(page: Page) -> None:
    page.goto(JOBS)
    polls = count_polls(page)
    # a row that is old to the server, so that every poll brings something to swap
    page.evaluate("document.querySelectorAll('tr[data-version]')[1].dataset.version = 0")
    page.locator(".top-user summary").click()
    page.locator("#search").press_sequentially("sch", delay=20)
    page.evaluate("document.querySelector('.top-user').open = true")
    page.locator("#search").focus()
    page.wait_for_timeout(800)
    poll_fast(page)
    wait_for_polls(page, polls, 3)

    assert page.evaluate("document.activeElement.id") == "search"
    assert page.locator("#search").input_value() == "sch"
    assert page.locator(".top-user").get_attribute("open") is not None


def test_a_row_whose_text_is_selected_is_left_alone_until_it_is_not(page: Page) -> None:
    # of a job that moves no more by itself
    page.goto(f"{JOBS}?status=succeeded")
    row = page.locator("tr[data-version]").first
    version = row.get_attribute("data-version")
    row.evaluate("row => { row.dataset.version = 0; getSelection().selectAllChildren(row); }")
    polls = count_polls(page)
    poll_fast(page)
    wait_for_polls(page, polls, 2)
    assert row.get_attribute("data-version") == "0"

    page.evaluate("getSelection().removeAllRanges()")
    expect(row).to_have_attribute("data-version", version or "")


def test_a_paused_list_does_not_poll(page: Page) -> None:
    page.goto(JOBS)
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(500)
    polls = count_polls(page)
    poll_fast(page)
    page.wait_for_timeout(4000)
    assert polls == []
    page.get_by_role("button", name="Paused").click()


def test_signing_out_elsewhere_brings_the_sign_in_page_and_not_a_fragment(
    stack: Stack, browser: Browser, tmp_path: Path
) -> None:
    session = keep_session(stack, browser, EMAIL, tmp_path / "session.json")
    context = browser.new_context(base_url=stack.url, storage_state=session)
    page = context.new_page()
    page.goto(JOBS)
    context.clear_cookies()
    poll_fast(page)
    page.wait_for_url(re.compile("/accounts/login/"))
    context.close()


def test_axe_finds_nothing_in_either_theme_and_nothing_scrolls_sideways_at_320_pixels(
    page: Page,
) -> None:
    page.expected_complaints = ("404",)  # type: ignore[attr-defined]
    reported: list[str] = []
    for name in PAGES:
        page.goto(path_of(page, name))
        for theme in THEMES:
            page.emulate_media(color_scheme=theme)
            expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
            rules = COLORS if theme == "dark" else ""
            reported += [f"{name}: {found}" for found in find_violations(page, rules)]
        page.set_viewport_size({"width": 320, "height": 640})
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            reported.append(f"{name}: scrolls sideways")
        page.set_viewport_size({"width": 1280, "height": 900})
    assert reported == []


@pytest.mark.parametrize("path", ["/accounts/login/", "/accounts/password/reset/"])
def test_axe_finds_nothing_before_the_sign_in(stack: Stack, browser: Browser, path: str) -> None:
    page = browser.new_page(base_url=stack.url)
    page.goto(path)
    assert find_violations(page) == []
    page.context.close()


def test_slash_goes_to_the_search_and_an_id_to_its_job(page: Page) -> None:
    page.goto(JOBS)
    remote_id = page.locator(".job-ids [title]").first.inner_text()
    page.keyboard.press("/")
    page.keyboard.type(remote_id)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    expect(page.locator(".job-head")).to_contain_text(remote_id)


def test_a_chosen_theme_stays_and_comes_before_the_first_paint(page: Page) -> None:
    page.goto(JOBS)
    choose_theme(page, "dark")
    page.goto(f"{JOBS}new/")
    assert page.evaluate("document.documentElement.dataset.bsTheme") == "dark"
    blocking = page.locator("head script:not([defer])").first.get_attribute("src") or ""
    assert "theme" in blocking
    choose_theme(page, "system")  # it is kept with the person, who is in other tests, too


def choose_theme(page: Page, theme: str) -> None:
    page.locator(".top-user summary").click()
    with page.expect_response("**/profile/theme/"):
        page.locator(f"[data-set-theme={theme}]:visible").first.click()


def test_list_filter_job_and_submission_work_without_scripts(
    stack: Stack, browser: Browser, signed_in: Path
) -> None:
    context = browser.new_context(
        base_url=stack.url, storage_state=signed_in, java_script_enabled=False
    )
    page = context.new_page()
    page.goto(JOBS)
    page.locator("#search").fill("school")
    page.locator("#search").press("Enter")
    page.wait_for_url(re.compile("q=school"))
    page.locator(".job-name").first.click()
    expect(page.get_by_role("heading", name="Timeline")).to_be_visible()
    page.goto(f"{JOBS}new/")
    page.get_by_role("radio", name="Zencoder").check()
    page.get_by_role("button", name="Show fields").click()
    page.get_by_label("Source file").fill(f"{stack.clip('good.mp4')}?no-scripts")
    page.get_by_role("button", name="Submit job").click()
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    context.close()


def test_a_viewer_is_offered_no_action(stack: Stack, browser: Browser, tmp_path: Path) -> None:
    session = keep_session(stack, browser, VIEWER, tmp_path / "viewer.json")
    context = browser.new_context(base_url=stack.url, storage_state=session)
    page = context.new_page()
    page.goto(path_of(page, "failed job"))
    expect(page.get_by_role("heading", name="Why it failed")).to_be_visible()
    assert page.get_by_role("button", name="Retry").count() == 0
    assert page.get_by_role("link", name="New job").count() == 0
    context.close()


def test_the_list_ships_little_and_asks_no_other_host(page: Page, stack: Stack) -> None:
    scripts: dict[str, int] = {}
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on(
        "response",
        lambda answer: (
            scripts.update({answer.url: int(answer.headers["content-length"])})
            if answer.request.resource_type == "script"
            else None
        ),
    )
    page.goto(JOBS)
    page.wait_for_load_state("networkidle")
    assert [url for url in asked if not url.startswith(stack.url)] == []
    assert 0 < sum(scripts.values()) <= 50_000, scripts


def test_the_navigation_stays_in_sight_on_a_long_page(page: Page) -> None:
    page.goto(JOBS)
    page.evaluate("scrollTo(0, 700)")
    assert page.evaluate("document.querySelector('.top').getBoundingClientRect().top") == 0
    assert page.evaluate("document.querySelector('.side').getBoundingClientRect().top") == 48


def test_a_new_job_is_a_button_and_never_a_row_by_itself(page: Page, stack: Stack) -> None:
    page.goto(JOBS)
    first = page.locator("tr[data-version]").first.get_attribute("id")
    stack.manage(
        "submit", "--organization", "harbor", "--account", "Zencoder",
        "--input", f"{stack.clip('good.mp4')}?new", "--packaging", "mp4", "--height", "240",
    )  # fmt: skip
    button = page.locator("#new-jobs").get_by_role("link", name="1 new job")
    expect(button).to_be_visible()
    expect(page.locator("#announcer")).to_have_text("1 new job.")
    assert page.locator("tr[data-version]").first.get_attribute("id") == first

    button.click()
    expect(page.locator("tr[data-version]").first).not_to_have_id(first or "")


def test_ten_stops_of_the_tab_key_come_before_the_first_job_and_one_can_skip_them(
    page: Page,
) -> None:
    page.goto(f"{JOBS}?status=failed")
    # of the first job its checkbox comes first, where the page has these
    is_first = "!!document.activeElement.closest('tr[data-status]:first-child')"
    stops = 0
    while stops < 20 and not page.evaluate(is_first):
        page.keyboard.press("Tab")
        stops += 1
    assert stops <= 11
    # one stop for all tabs: the arrow keys move between them
    page.locator("#tab-failed").focus()
    page.keyboard.press("ArrowRight")
    assert page.evaluate("document.activeElement.id") == "tab-succeeded"

    page.goto(JOBS)
    for key in ("Tab", "Enter", "Tab"):
        page.keyboard.press(key)
    assert page.evaluate(is_first)


def test_eighteen_jobs_are_in_sight_and_none_has_two_lines_but_failures(page: Page) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(JOBS)
    rows = page.locator("tr[data-status]")
    heights = rows.evaluate_all("rows => rows.map(row => [row.className, row.offsetHeight])")
    assert {height for kind, height in heights if "has-error" not in kind} == {36}
    assert {height for kind, height in heights if "has-error" in kind} <= {54}
    # without failures: how many of them are on the first page depends on the other tests
    page.goto(f"{JOBS}?status=succeeded")
    in_sight = rows.evaluate_all(
        "rows => rows.filter(row => row.getBoundingClientRect().bottom <= innerHeight).length"
    )
    assert in_sight >= min(20, rows.count())


def test_a_lost_connection_is_reported_and_ages_stop(page: Page) -> None:
    page.expected_complaints = ("ERR_FAILED", "htmx:")  # type: ignore[attr-defined]
    page.goto(JOBS)
    page.route("**/live/**", lambda route: route.abort())
    poll_fast(page)
    notice = page.locator("#offline")
    expect(notice).to_be_visible()
    expect(notice).to_contain_text("No answer since")
    expect(page.locator("#no-answer")).to_be_visible()
    age = page.locator("tr[data-status] time[data-ago]").first
    before = age.inner_text()
    page.wait_for_timeout(3000)
    assert age.inner_text() == before

    page.unroute("**/live/**")
    expect(notice).to_be_hidden()


def test_without_scripts_a_sample_keeps_what_was_typed_and_enter_submits(
    stack: Stack, browser: Browser, signed_in: Path
) -> None:
    context = browser.new_context(
        base_url=stack.url, storage_state=signed_in, java_script_enabled=False
    )
    page = context.new_page()
    page.goto("/o/harbor/jobs/new/")
    page.get_by_role("radio", name="Zencoder").check()
    page.get_by_role("button", name="Show fields").click()
    page.get_by_label("Destination").fill("s3://results/dawn/")
    expect(page.locator("a[data-sample]").first).to_be_hidden()
    page.get_by_role("button", name="Try good.mp4").click()
    expect(page.get_by_label("Source file")).to_have_value(stack.clip("good.mp4"))
    expect(page.get_by_label("Destination")).to_have_value("s3://results/dawn/")
    page.get_by_label("Source file").fill(f"{stack.clip('good.mp4')}?pressed")
    page.get_by_label("Source file").press("Enter")
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))
    context.close()
