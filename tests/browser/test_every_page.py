"""Every page that links lead to, as each role, over jobs whose every value is odd."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import requests
from playwright.sync_api import Browser

from tests.acceptance.documented import zencoder
from tests.acceptance.documented.server import NOT_FOUND, Answer, Documented, Request, serve
from tests.browser.conftest import is_complaint, sign_in
from tests.browser.stack import EMAIL, PASSWORD, VIEWER, Stack
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.browser

STRANGER = "sten@north.example"
URLS = (
    "s3://[reels]/pier.mp4",
    "https://[::7/pier.mp4",
    "file://どこ？.mp4",
    "http://c／d.example/pier.mp4",
    "s3://reels/Pier #4 - Why?.mov",
    "//[",
    "https://quay.example\\@else.example/pier.mp4",
    "ht tp://quay.example:99999/%zz%00\x00\n\ud800.mp4",
    "pier",
    "",
    f"https://quay.example/{'p' * 10_000}.mp4",
)
TEXTS = (
    "plain",
    "\u202eexe.4pm\u202c \u2066quay",
    "<b onclick=alert(1)>&amp;{{ 7|add:7 }}",
    "\x1b[31mred\x07\x00\r\n",
    "لا يوجد ملف",
    "long " * 2_000,
    "\ud83d half an emoji",
)
NUMBERS = (60_000, 0, -1, 2**63, 1e300, "many", None, 1_795_000_000_000)
LINK = re.compile(r'(?:href|hx-get)="(/[^"]*)"')
# parts of pages, and what is saved as a file
# and, opened without a browser, lists with a filter, whose page is that of the list
LEFT_OUT_OF_BROWSER = re.compile(
    r"/(raw|live|csv)/|/notes/members/|/query/(\?|$)|/export\.|/(jobs|files|presets|audit|stats)/\?"
)
# leave the board, change it, or are pages of the owner's other organization, whose values are sound
LEFT_OUT = re.compile(r"/(logout|open|sync|static|media|api|export)/|\.(css|js|svg)$|^/o/harbor/")
# have the rows of the list with the same filters, which is opened with each of them
SAME_ROWS = re.compile(r"/(live/|export\.\w+)$")


def times() -> list[Any]:
    now = datetime.now(UTC)
    ahead, ago = now + timedelta(hours=5, minutes=30), now - timedelta(minutes=20)
    return [f"{at:%Y-%m-%dT%H:%M:%SZ}" for at in (ago, ahead)] + ["0001-01-01T00:00:00Z",
            "9999-12-31T23:59:59-12:00", "yesterday", 0, None, "2026-02-30T10:00:00Z"]  # fmt: skip


def odd_jobs() -> list[dict[str, Any]]:
    """One job for each odd value, with every value of the others' somewhere beside it."""
    states = ("finished", "failed", "processing", "waiting", "cancelled", "pondering")
    moments, jobs = times(), []
    for at in range(max(map(len, (URLS, TEXTS, NUMBERS, moments))) * 2):
        url, text = URLS[at % len(URLS)], TEXTS[at % len(TEXTS)]
        number, moment = NUMBERS[at % len(NUMBERS)], moments[at % len(moments)]
        state = states[at % len(states)] if at % 7 else text[:40]
        medium = {
            "duration_in_ms": number, "file_size_bytes": number, "width": number,
            "height": number, "frame_rate": number, "video_codec": text, "audio_codec": text,
            "format": text, "label": text, "error_class": text, "error_message": text,
            "video_bitrate_in_kbps": number,
        }  # fmt: skip
        source = zencoder.media(7_000 + at, state, **{**medium, "url": url})
        outputs = [
            zencoder.media(8_000 + 10 * at + one, state, **{**medium, "url": other})
            for one, other in enumerate((url, URLS[(at + 1) % len(URLS)]))
        ]
        jobs.append(
            zencoder.job(
                500 + at,
                state,
                source,
                outputs if at % 5 else None,  # type: ignore[arg-type]
                created_at=moment,
                finished_at=moments[(at + 3) % len(moments)],
                updated_at=moment,
                pass_through=text,
            )  # fmt: skip
        )
    return jobs


@pytest.fixture(scope="module")
def odd_board(stack: Stack) -> Iterator[Stack]:
    """The board with one more organization, whose provider sends nothing but odd values."""
    jobs = odd_jobs()
    by_id = {str(job["job"]["id"]): job for job in jobs}

    def answer(request: Request, _: bool) -> Answer:
        path = request.path.removeprefix("/api/v2").removesuffix(".json")
        if path == "/jobs":
            return 200, jobs if request.query.get("page", "1") == "1" else []
        number = re.fullmatch(r"/jobs/(\d+)(/progress)?", path)
        if number is None or number[1] not in by_id:
            return NOT_FOUND
        return (200, {"state": "processing", "progress": "half"} if number[2] else by_id[number[1]])

    double = Documented(
        slug="zencoder", base_path="/api/v2", credentials={}, answer=answer, total=len(jobs),
        later=0, list_path="/jobs", jobs={}, outputs={}, presets={}, not_reported={},
        outputs_not_reported={}, secret="",
    )  # fmt: skip
    with serve(double) as provider:
        stack.manage("shell", "--no-imports", "-c", f"URL = {provider.base_url!r}\n{MAKE_ODD}")
        yield stack
        stack.manage("shell", "--no-imports", "-c", PAUSE)


MAKE_ODD = f"""
from django.core.management import call_command
from organizations.models import Membership, Organization, Role, User
call_command("create_organization", name={TEXTS[1]!r}, slug="odd", owner={EMAIL!r})
odd, other = (Organization.objects.get(slug=slug) for slug in ("odd", "northlight"))
for email, role, where in (
    ({VIEWER!r}, Role.VIEWER, odd), ({STRANGER!r}, Role.OWNER, other),
):
    user, _ = User.objects.get_or_create(email=email)
    user.set_password({PASSWORD!r})
    user.save()
    Membership.objects.get_or_create(user=user, organization=where, defaults={{"role": role}})
call_command(
    "add_account", organization="odd", provider="zencoder", name={TEXTS[2]!r}, base_url=URL,
    credential=["api_key=k3y-of-the-odd-one"],
)
call_command("sync", organization="odd")
"""
PAUSE = """
from jobs.models import ProviderAccount
ProviderAccount.objects.filter(organization__slug="odd").update(enabled=False)
"""


def links(page: str, url: str) -> set[str]:
    """The pages of ours that `page` leads to."""
    found = {urljoin(url, unescape(path)).partition("#")[0] for path in LINK.findall(page)}
    return {link for link in found if not LEFT_OUT.search(urlsplit(link).path)}


def kind_of(url: str) -> str:
    """Equal for pages that differ in their rows or in the values of a filter alone.

    Each filter has links to it with every combination of the others: these are one kind.
    """
    parts = urlsplit(url)
    names = {pair.partition("=")[0] for pair in parts.query.split("&")}
    query = names.pop() if len(names) == 1 else "several"
    if SAME_ROWS.search(parts.path):
        query = "as the list"
    return re.sub(r"\d+", "N", parts.path) + "?" + query


def key_of(url: str) -> str:
    """Its kind; of a job with odd values the URL itself."""
    kind = kind_of(url)
    return url if kind.endswith("/o/odd/jobs/N/?") else kind


def crawl(session: requests.Session, start: str, most: int) -> dict[str, int]:
    """The status of each page that can be reached, so many of a kind (all of the odd jobs)."""
    statuses: dict[str, int] = {}
    waiting, kinds = [start], {}  # type: ignore[var-annotated]
    while waiting:
        url = waiting.pop()
        key = key_of(url)
        if url in statuses or kinds.get(key, 0) >= most:
            continue
        kinds[key] = kinds.get(key, 0) + 1
        response = session.get(url, timeout=PATIENCE_S)
        statuses[url] = response.status_code
        if response.headers.get("Content-Type", "").startswith("text/html"):
            waiting += sorted(links(response.text, response.url))
    return statuses


def sign_in_by_form(stack: Stack, email: str) -> requests.Session:
    session = requests.Session()
    page = session.get(f"{stack.url}/accounts/login/", timeout=PATIENCE_S)
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    answer = session.post(
        page.url,
        {"login": email, "password": PASSWORD, "csrfmiddlewaretoken": token[1]},
        timeout=PATIENCE_S,
    )
    assert "/accounts/login/" not in answer.url
    return session


@pytest.fixture(scope="module")
def of_the_owner(odd_board: Stack) -> dict[str, int]:
    """The status of each page that the owner reaches."""
    return crawl(sign_in_by_form(odd_board, EMAIL), f"{odd_board.url}/o/odd/jobs/", most=2)


@pytest.fixture(scope="module")
def of_a_viewer(odd_board: Stack) -> dict[str, int]:
    return crawl(sign_in_by_form(odd_board, VIEWER), f"{odd_board.url}/o/odd/jobs/", most=1)


@pytest.mark.parametrize("role", ["of_the_owner", "of_a_viewer"])
def test_every_page_that_a_member_reaches_opens(request: pytest.FixtureRequest, role: str) -> None:
    statuses: dict[str, int] = request.getfixturevalue(role)

    jobs = [url for url in statuses if re.search(r"/o/odd/jobs/\d+/$", url)]
    assert len(jobs) == len(odd_jobs())  # the crawl has seen them
    # a form that the role may not use is refused; nothing else is
    refused = {url for url, status in statuses.items() if status == 403}
    assert not refused or role == "of_a_viewer"
    assert {url: code for url, code in statuses.items() if code >= 400 and code != 403} == {}


def test_a_stranger_finds_none_of_these_pages(
    odd_board: Stack, of_the_owner: dict[str, int]
) -> None:
    stranger = sign_in_by_form(odd_board, STRANGER)

    ours = [url for url in of_the_owner if "/o/odd/" in url]
    assert len(ours) > 10
    assert {stranger.get(url, timeout=PATIENCE_S).status_code for url in ours} == {404}


def test_no_page_has_anything_to_say_on_the_console(
    odd_board: Stack, of_the_owner: dict[str, int], browser: Browser
) -> None:
    context = browser.new_context(base_url=odd_board.url)
    page = context.new_page()
    sign_in(page, odd_board, EMAIL)
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(f"{page.url} {message.text}")
            if is_complaint(message) else None)  # fmt: skip
    page.on("pageerror", lambda error: complaints.append(f"{page.url} {error}"))
    pages = {key_of(url): url for url in of_the_owner if "/o/odd/" in url}

    for url in pages.values():
        if not LEFT_OUT_OF_BROWSER.search(url):
            page.goto(url)
    assert complaints == []
    context.close()
