"""Questions that operators come with: from the front page to the answer in a few clicks."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from jobs.display.stuck import time_left_text
from tests.browser.stack import Stack

pytestmark = pytest.mark.browser

# Prints what the sandbox's history holds: a job's file, a number in the metadata of another, and a
# word in the names of jobs that failed this week, as a customer's name would be.
FACTS = """
import json, re
from datetime import timedelta
from django.utils import timezone
from jobs.models import Job
jobs = list(Job.objects.filter(organization__slug="harbor").order_by("pk"))
filed = next(job for job in jobs if "-000" in job.name)
ordered = next(job for job in jobs if str(job.metadata or "").startswith("asset-"))
week = timezone.now() - timedelta(days=7)
failed = [job for job in jobs if job.status == "failed" and job.sort_at > week]
customer = next(word for job in failed for word in re.findall("[a-z]{6,}", job.name))
print(json.dumps({
    "file": [filed.name, filed.pk],
    "order": [ordered.metadata, ordered.pk],
    "customer": [customer, [job.pk for job in failed if customer in job.name]],
}))
"""


# Of an account that is paused, so that no sync tells otherwise: a job that hangs, and one whose
# source is missing. `undo` takes them away again: the board is shared.
TROUBLE = """
from datetime import timedelta
from django.utils import timezone
from jobs.models import ProviderAccount
from organizations.models import Organization
from tests.jobs.factories import make_account, make_job
ProviderAccount.objects.filter(name="Old archive").delete()
if {make}:
    now = timezone.now()
    harbor = Organization.objects.get(slug="harbor")
    account = make_account(harbor, name="Old archive", provider="zencoder", enabled=False)
    begun = now - timedelta(hours=31)
    make_job(
        account, name="hangs.mov", status="running", created_at=begun, started_at=begun,
        stuck_status="running", stuck_kind="slow", stuck_at=now, stuck_limit_ms=1_320_000,
        stuck_count=412,
    )
    make_job(
        account, name="nowhere.mov", status="failed", created_at=now, finished_at=now,
        error_class="input.not_found", error_message="No such tape: nowhere.mov",
    )
"""


class Hand:
    """Clicks, and the Enter key, which is as much work, counted from the front page on."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.clicks = 0
        page.goto("/o/harbor/")

    def click(self, target: Locator) -> None:
        self.clicks += 1
        target.click()

    def search(self, text: str) -> None:
        self.click(self.page.get_by_role("combobox", name="Search jobs"))
        self.page.keyboard.type(text)
        self.clicks += 1
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(re.compile(r"/jobs/(\d+/)?(\?|$)"))


@pytest.fixture(scope="module")
def facts(stack: Stack) -> dict[str, Any]:
    printed = stack.manage("shell", "--no-imports", "-c", FACTS)
    found: dict[str, Any] = json.loads(printed.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def trouble(stack: Stack) -> Iterator[None]:
    stack.manage("shell", "--no-imports", "-c", TROUBLE.format(make=True))
    yield
    stack.manage("shell", "--no-imports", "-c", TROUBLE.format(make=False))


def test_a_file_an_order_and_a_customers_failures_are_found_in_two_clicks(
    page: Page, facts: dict[str, Any]
) -> None:
    for text, pk in (facts["file"], facts["order"]):
        hand = Hand(page)
        hand.search(text)
        expect(page.locator(f"#job-{pk}")).to_be_visible()
        assert hand.clicks == 2
    customer, pks = facts["customer"]
    hand = Hand(page)
    hand.search(f"status:failed created:>7d {customer}")
    shown = page.locator("tr[data-status]").evaluate_all("rows => rows.map((row) => row.id)")
    assert {f"job-{pk}" for pk in pks} <= set(shown)
    assert hand.clicks == 2


@pytest.mark.usefixtures("trouble")
def test_what_is_stuck_why_and_which_sources_are_missing_is_found_in_three_clicks(
    page: Page,
) -> None:
    hand = Hand(page)
    hand.click(page.get_by_role("link", name="Stuck", exact=True))
    expect(page.locator("tr[data-status]")).to_have_count(1)
    expect(page.get_by_text("Stuck: usual 22 min")).to_be_visible()
    hand.click(page.get_by_role("link", name="hangs.mov"))
    # why it is slow
    sentence = "Running for 31 h; 95% of 412 comparable jobs finished within 22 min."
    expect(page.get_by_text(sentence)).to_be_visible()
    assert hand.clicks == 2

    hand = Hand(page)
    hand.click(page.get_by_role("link", name="Statistics"))
    hand.click(page.get_by_role("link", name="Today"))
    missing = page.get_by_role("row").filter(has_text="Source not found")
    hand.click(missing.get_by_role("link").first)
    expect(page.get_by_role("link", name="nowhere.mov")).to_be_visible()
    expect(page.locator("tr[data-status]").first).to_contain_text("Zencoder")
    assert hand.clicks == 3


def test_the_time_left_counts_down_in_the_words_of_the_server(stack: Stack, page: Page) -> None:
    page.goto("/o/harbor/jobs/")
    spans = (30_000, 90_000, 250_000, 1_000_000, 9_000_000, 90_000_000, 400_000_000)
    ranges = [(least, most) for least in (0, *spans) for most in spans if most >= least]
    shown = page.evaluate(
        """async ranges => {
          const left = document.createElement("p");
          document.querySelector("main").append(left);
          const at = ms => new Date(Date.now() + ms).toISOString();
          const texts = [];
          left.append(...ranges.map(([least, most]) => {
            const span = document.createElement("span");
            // half a second of the tick, so that no figure is about to change
            span.dataset.left = `${at(least ? least + 500 : -1000)} ${at(most + 500)}`;
            return span;
          }));
          while (!left.lastChild.textContent) await new Promise(done => setTimeout(done, 20));
          return [...left.children].map(span => span.textContent);
        }""",
        ranges,
    )
    assert shown == [time_left_text(least, most) for least, most in ranges]
