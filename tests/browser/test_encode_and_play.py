"""The main job, in a real browser: submit a video, watch it encode, play it."""

import re

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.stack import Stack
from tests.waiting import wait_until

pytestmark = pytest.mark.browser

JOBS = "/o/harbor/jobs/"


def choose(page: Page, account: str) -> None:
    """Open the form with the fields of this account."""
    page.goto(f"{JOBS}new/")
    choice = page.get_by_role("radio", name=account)
    value = choice.get_attribute("value") or ""
    choice.check()
    expect(page.locator("input[name=fields_of]")).to_have_value(value)


def submit(page: Page, clip: str, **heights: list[str]) -> None:
    choose(page, "Zencoder")
    page.get_by_label("Source file").fill(clip)
    for packaging in ("hls", "mp4"):
        for box in page.locator(f"input[name={packaging}]").all():
            box.set_checked(box.get_attribute("value") in heights.get(packaging, []))
    page.get_by_label("Thumbnails").fill("2")
    send(page)


def send(page: Page) -> None:
    """Submit the form, and again where another test ran the very same job before."""
    page.get_by_role("button", name="Submit job").click()
    again = page.get_by_label("Submit anyway")
    expect(page.locator(".job-head").or_(again)).to_be_visible()
    if again.is_visible():
        page.expected_complaints = ("422",)  # type: ignore[attr-defined]
        again.check()
        page.get_by_role("button", name="Submit job").click()
    page.wait_for_url(re.compile(r"/jobs/\d+/$"))


def pill(page: Page, phrase: str) -> Locator:
    return page.locator(".job-head .pill").get_by_text(phrase, exact=True)


def assert_plays(page: Page) -> None:
    video = page.locator("video")
    expect(video).to_be_visible()
    wait_until(lambda: video.evaluate("element => element.currentTime > 1"), "a second of video")
    assert video.evaluate("element => element.videoWidth") > 0


def test_a_submitted_clip_succeeds_and_its_hls_and_mp4_play(page: Page, stack: Stack) -> None:
    submit(page, stack.clip("good.mp4"), hls=["240"], mp4=["360"])
    progress = page.locator(".progress-panel progress")
    expect(progress).to_be_visible()
    before = progress.get_attribute("value")
    # by a poll: to another value, or away where the job has ended by then
    same = page.locator(f".progress-panel progress[value='{before}']")
    expect(same).to_have_count(0)
    expect(pill(page, "Succeeded")).to_be_visible()

    page.get_by_role("link", name=re.compile("^Play.*mp4")).first.click()
    assert_plays(page)
    page.get_by_role("link", name="Close").click()
    expect(page.locator("video")).to_have_count(0)

    page.get_by_role("link", name=re.compile(r"^Play\s+hls$")).first.click()
    assert_plays(page)
    assert "/static/vendor/hls/" in page.evaluate(
        "performance.getEntriesByType('resource').map(one => one.name).join(' ')"
    )


def test_nothing_of_an_output_is_loaded_before_it_is_asked_for(page: Page, stack: Stack) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    submit(page, stack.clip("good.mp4"), mp4=["240"])
    expect(pill(page, "Succeeded")).to_be_visible()
    assert not [url for url in asked if not url.startswith(stack.url)]

    page.reload()
    page.get_by_role("link", name="Show thumbnails").click()
    picture = page.locator(".gallery img").first
    expect(picture).to_be_visible()
    wait_until(lambda: picture.evaluate("element => element.naturalWidth > 0"), "the picture")
    assert [url for url in asked if url.startswith(stack.sandbox_url)]


def test_a_corrupt_clip_fails_with_class_sentence_and_hint(page: Page, stack: Stack) -> None:
    submit(page, stack.clip("corrupt.mp4"), mp4=["240"])
    expect(pill(page, "Failed")).to_be_visible()
    panel = page.get_by_role("region", name="Why it failed")
    expect(panel).to_contain_text("input.")
    expect(panel).to_contain_text("The source file")

    name = page.locator("h1").inner_text()
    page.goto(f"{JOBS}?status=failed")
    expect(page.locator("tr", has_text=name).first.locator(".job-error")).to_contain_text("input.")


def test_a_failed_job_can_be_submitted_with_another_input(page: Page, stack: Stack) -> None:
    submit(page, stack.clip("corrupt.mp4"), mp4=["240"])
    expect(pill(page, "Failed")).to_be_visible()
    page.get_by_role("link", name="Retry with changes").click()
    field = page.get_by_label("Source file")
    expect(field).to_have_value(stack.clip("corrupt.mp4"))
    field.fill(stack.clip("good.mp4"))
    send(page)
    expect(page.get_by_role("heading", name="Attempts")).to_be_visible()


def test_a_job_can_be_cancelled(page: Page, stack: Stack) -> None:
    submit(page, stack.clip("good.mp4"), hls=["240", "480", "720", "1080"], mp4=["720", "1080"])
    page.locator("#actions").get_by_role("button", name="Cancel").click()
    page.get_by_role("dialog").get_by_role("button", name="Cancel job").click()
    expect(pill(page, "Cancelled")).to_be_visible()


def test_the_preview_shows_the_providers_own_message_without_secrets(
    page: Page, stack: Stack
) -> None:
    choose(page, "Zencoder")
    page.get_by_label("Source file").fill("https://user:hunter2@media.example/clip.mp4")
    body = page.locator("#preview-body")
    expect(body).to_contain_text('"input"')
    expect(body).not_to_contain_text("hunter2")


def test_what_is_typed_survives_another_account(page: Page, stack: Stack) -> None:
    choose(page, "Zencoder")
    page.get_by_label("Source file").fill(stack.clip("good.mp4"))
    page.get_by_role("radio", name="TPStreams").check()
    notes = page.locator("#id_destination_notes")
    expect(notes).to_contain_text("does not store outputs")
    expect(page.get_by_label("Source file")).to_have_value(stack.clip("good.mp4"))
    assert page.evaluate("document.activeElement.name") == "account"
    page.get_by_label("Destination").fill("s3://results/dawn/")
    expect(notes).to_have_text("")


def test_what_is_typed_while_the_fields_are_on_their_way_stays(page: Page, stack: Stack) -> None:
    choose(page, "Zencoder")
    page.get_by_label("Metadata").fill("sent with the choice")
    held: list[Route] = []
    page.route("**/jobs/new/", lambda route: held.append(route))
    before = page.locator("input[name=account]:checked").input_value()
    with page.expect_request("**/jobs/new/"):
        page.get_by_role("radio", name="TPStreams").check()
    page.get_by_label("Source file").fill(stack.clip("good.mp4"))
    page.get_by_label("Metadata").fill("typed since")
    heights = page.locator("input[name=hls]")
    heights.first.set_checked(not heights.first.is_checked())
    ticked = heights.first.is_checked()
    held[0].continue_()
    expect(page.locator("input[name=fields_of]")).not_to_have_value(before)
    expect(page.get_by_label("Source file")).to_have_value(stack.clip("good.mp4"))
    expect(page.get_by_label("Metadata")).to_have_value("typed since")
    expect(heights.first).to_be_checked(checked=ticked)


# links that last, as Zencoder's above; links made at the moment; and none
@pytest.mark.parametrize(("account", "played"), [("Video SDK", 2), ("Xvid", 1), ("TPStreams", 0)])
def test_a_job_at_another_provider_ends_well_and_plays_where_a_browser_can(
    page: Page, stack: Stack, account: str, played: int
) -> None:
    choose(page, account)
    page.get_by_label("Source file").fill(f"{stack.clip('portrait.mp4')}?at={account.split()[0]}")
    for packaging in ("hls", "mp4"):
        for box in page.locator(f"input[name={packaging}]").all():
            box.set_checked(box.get_attribute("value") == "240")
    if account == "TPStreams":
        page.get_by_label("Destination").fill("s3://results/harbour/")
    if account == "Xvid":
        page.get_by_label("MP4-H264-AAC-240p").check()
    send(page)
    expect(pill(page, "Succeeded")).to_be_visible()
    offered = page.get_by_role("link", name=re.compile("^Play"))
    expect(offered).to_have_count(played)
    if played:
        offered.first.click()
        assert_plays(page)
    else:
        expect(page.locator(".outputs")).to_contain_text("Stored at s3://")


def test_a_note_moves_nothing_that_a_hand_may_be_on_its_way_to(page: Page, stack: Stack) -> None:
    choose(page, "Zencoder")
    below = page.get_by_role("button", name="Submit job")
    before = below.bounding_box()
    page.get_by_label("Source file").fill(stack.clip("good.mp4"))
    expect(page.locator("#id_destination_notes")).to_contain_text("24 hours")
    assert below.bounding_box() == before
