"""Crawling a provider's list: the first import, the short crawls after it, and full ones."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.utils import timezone

from jobs.models import Job, JobEvent, ProviderAccount, RateBudget
from jobs.sync.crawl import discovery
from jobs.sync.report import Report
from jobs.sync.runner import sync_account
from tests.jobs.fake_zencoder import MORNING, PAGE_SIZE, Answer, FakeZencoder, failing

pytestmark = [pytest.mark.django_db, pytest.mark.any_database, pytest.mark.integration]


@pytest.fixture
def new_account(account: ProviderAccount) -> ProviderAccount:
    """Never synchronised yet."""
    account.imported_at = account.last_pass_at = account.last_success_at = None
    account.save()
    return account


def run(account: ProviderAccount, *, foreground: bool = True, full: bool = False) -> Report:
    report = sync_account(account.pk, foreground=foreground, full=full)
    assert report is not None
    account.refresh_from_db()
    return report


def fill(zencoder: FakeZencoder, first: int, last: int) -> None:
    for number in range(first, last + 1):
        zencoder.add(number)


def test_an_import_reads_pages_twice_and_the_next_pass_one_page(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, 20 * PAGE_SIZE)
    report = run(new_account)
    # twenty pages and an empty one, and the page before each of these twenty turns again
    assert (report.ok, report.created, report.requests) == (True, 20 * PAGE_SIZE, 21 + 20)
    assert (new_account.is_importing, new_account.import_cursor) == (False, "")
    assert set(JobEvent.objects.values_list("source", flat=True)) == {"import"}
    before = list(Job.objects.order_by("pk").values())
    report = run(new_account)
    assert (report.created, report.changed, report.requests) == (0, 0, 1)
    assert list(Job.objects.order_by("pk").values()) == before
    zencoder.add(10**6)
    assert run(new_account).requests == 2


def test_an_import_goes_on_where_a_crash_left_it(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, 4 * PAGE_SIZE)

    def breaks(request: requests.PreparedRequest) -> Answer | None:
        return failing(500)(request) if "page=3" in str(request.url) else None

    zencoder.faults["list"] = breaks
    report = run(new_account)
    assert report.ok is False
    assert (new_account.is_importing, new_account.import_cursor) == (True, "3")
    began = new_account.last_pass_at
    zencoder.faults.clear()
    zencoder.asked.clear()
    report = run(new_account)
    # two pages and an empty one, and before each the page above it again
    assert (report.created, zencoder.asked["list"]) == (2 * PAGE_SIZE, 3 + 3)
    assert not new_account.is_importing
    assert new_account.last_pass_at == began  # what came since is not covered by this crawl


def test_a_background_import_gives_way_to_the_rate_limit_and_is_no_failure(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, 6 * PAGE_SIZE - 1)
    new_account.options = {"requests_per_minute": "4"}
    new_account.save()
    report = run(new_account, foreground=False)
    # the page before the third has not been read again
    assert (report.ok, report.requests, new_account.import_cursor) == (True, 4, "3")
    assert new_account.consecutive_failures == 0
    assert new_account.last_success_at
    wait = new_account.next_sync_at - timezone.now()
    assert timedelta(seconds=30) < wait <= timedelta(seconds=60)
    for _ in range(3):
        RateBudget.objects.all().delete()
        run(new_account, foreground=False)
    assert not new_account.is_importing
    assert Job.objects.count() == 6 * PAGE_SIZE - 1


def test_active_jobs_are_refreshed_while_the_lists_budget_is_used_up(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, 3 * PAGE_SIZE)
    zencoder.add(3 * PAGE_SIZE, "processing")
    zencoder.progress[3 * PAGE_SIZE] = 61.5
    ProviderAccount.objects.update(options={"requests_per_minute": "60"})
    now = timezone.now()
    RateBudget.objects.create(account=new_account, bucket="list", sent=[(now.timestamp(), 59)])
    run(new_account, foreground=False)
    assert Job.objects.get(status="running").progress == 61.5


def test_a_crawl_stops_at_the_first_page_without_news(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, 5 * PAGE_SIZE)
    run(new_account)
    fill(zencoder, 5 * PAGE_SIZE + 1, 6 * PAGE_SIZE + 2)
    report = run(new_account)
    assert (report.created, report.requests) == (PAGE_SIZE + 2, 3 + 1)


def test_a_page_with_a_running_job_is_not_the_last(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, 4 * PAGE_SIZE)
    zencoder.add(4 * PAGE_SIZE, "waiting")
    run(new_account)
    zencoder.asked.clear()
    run(new_account)
    assert zencoder.asked["list"] == 2


@pytest.mark.parametrize("off_s", [59, -30, -5 * 3600])
def test_an_interrupted_crawl_is_not_mistaken_for_a_complete_one(
    new_account: ProviderAccount, zencoder: FakeZencoder, off_s: int
) -> None:
    """Whether the provider's clock is right, ahead or behind."""
    zencoder.jobs = {}
    run(new_account)
    newest = int(timezone.now().timestamp())
    created = {"created_at": (timezone.now() + timedelta(seconds=off_s)).isoformat()}
    for number in range(newest, newest + 3 * PAGE_SIZE):
        zencoder.add(number, **created)

    def breaks(request: requests.PreparedRequest) -> Answer | None:
        return failing(500)(request) if "page=2" in str(request.url) else None

    zencoder.faults["list"] = breaks
    assert run(new_account).created == PAGE_SIZE
    zencoder.faults.clear()
    assert run(new_account).created == 2 * PAGE_SIZE
    Job.objects.filter(sort_at__gt=timezone.now()).update(sort_at=MORNING)  # time goes by
    assert run(new_account).requests == 1  # what a complete crawl has seen is not recent


@pytest.mark.parametrize("foreground", [False, True])
def test_a_crawl_that_finds_too_much_becomes_an_import_again(
    new_account: ProviderAccount,
    zencoder: FakeZencoder,
    monkeypatch: pytest.MonkeyPatch,
    *,
    foreground: bool,
) -> None:
    pages = 4
    monkeypatch.setattr(discovery, "DISCOVER_PAGES", pages)
    fill(zencoder, 1, PAGE_SIZE)
    run(new_account)
    fill(zencoder, PAGE_SIZE + 1, (pages + 3) * PAGE_SIZE)
    zencoder.asked.clear()
    run(new_account, foreground=foreground)
    assert new_account.is_importing is not foreground  # in the foreground it goes on to its end
    if not foreground:
        run(new_account, foreground=False)
    assert not new_account.is_importing
    assert Job.objects.count() == (pages + 3) * PAGE_SIZE
    assert zencoder.asked["list"] == 2 * (pages + 4) - 1


@pytest.mark.parametrize("status", [400, 404])
def test_an_import_whose_place_is_there_no_more_begins_at_the_top(
    new_account: ProviderAccount, zencoder: FakeZencoder, status: int
) -> None:
    fill(zencoder, 1, 2 * PAGE_SIZE - 1)
    ProviderAccount.objects.update(import_cursor="9", last_pass_at=MORNING)

    def refuses(request: requests.PreparedRequest) -> Answer | None:
        return failing(status)(request) if "page=9" in str(request.url) else None

    zencoder.faults["list"] = refuses
    report = run(new_account, foreground=False)
    assert (report.ok, report.created, zencoder.asked["list"]) == (True, 2 * PAGE_SIZE - 1, 3 + 1)
    assert (new_account.is_importing, new_account.import_cursor) == (False, "")
    assert new_account.last_pass_at
    assert new_account.last_pass_at > MORNING  # this crawl, not the one that was given up


def test_an_import_that_is_refused_on_its_way_keeps_its_place(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, 4 * PAGE_SIZE)
    ProviderAccount.objects.update(import_cursor="2")

    def refuses(request: requests.PreparedRequest) -> Answer | None:
        return failing(404)(request) if "page=3" in str(request.url) else None

    zencoder.faults["list"] = refuses
    assert run(new_account, foreground=False).ok is False
    assert (new_account.import_cursor, zencoder.asked["list"]) == ("3", 3)


def test_a_list_that_is_refused_from_the_top_is_asked_for_once(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.faults["list"] = failing(404)
    assert run(new_account, foreground=False).ok is False
    assert zencoder.asked["list"] == 1


@pytest.mark.parametrize("full", [False, True])
def test_a_list_that_leads_round_in_a_circle_is_left(
    new_account: ProviderAccount, zencoder: FakeZencoder, *, full: bool
) -> None:
    fill(zencoder, 1, 2 * PAGE_SIZE)
    answer = zencoder._list

    def turns(request: requests.PreparedRequest) -> Answer:
        assert zencoder.asked["list"] < 50, "It is still crawling."
        page = int(parse_qs(urlsplit(str(request.url)).query)["page"][0])
        request.url = str(request.url).replace(f"page={page}&", f"page={page % 2 + 1}&")
        return answer(request, 0)

    zencoder.faults["list"] = turns
    report = run(new_account, full=full)
    assert (report.ok, report.created) == (False, 2 * PAGE_SIZE)
    assert "circle" in new_account.last_error_message


def test_a_server_that_ignores_the_page_number_ends_the_crawl(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, PAGE_SIZE)
    answer = zencoder._list

    def same(request: requests.PreparedRequest) -> Answer:
        request.url = str(request.url).replace("page=2&", "page=1&")
        return answer(request, 0)

    zencoder.faults["list"] = same
    assert run(new_account).ok
    assert zencoder.asked["list"] == 2


def test_a_full_pass_finds_what_is_gone_and_only_that(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, 2 * PAGE_SIZE)
    run(new_account)
    del zencoder.jobs[7]
    del zencoder.jobs[19]
    assert run(new_account).gone == 0
    report = run(new_account, full=True)
    assert report.gone == 2
    gone = Job.objects.filter(gone_at__isnull=False)
    assert set(gone.values_list("remote_id", "status")) == {
        ("7", "succeeded"),
        ("19", "succeeded"),
    }
    assert run(new_account, full=True).gone == 0
    zencoder.add(7)
    run(new_account, full=True)
    assert not Job.objects.filter(remote_id="7", gone_at__isnull=False).exists()


def test_progress_is_reported_while_pages_are_read(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, PAGE_SIZE + 9)
    seen: list[int] = []
    sync_account(
        new_account.pk, foreground=True, on_progress=lambda account, jobs: seen.append(jobs)
    )
    assert seen == [PAGE_SIZE, PAGE_SIZE + 9]
