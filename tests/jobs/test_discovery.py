"""Walking a provider's list: the first import, the short walks after it, and whole ones."""

from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from jobs.models import Job, JobEvent, ProviderAccount, RateBudget
from jobs.sync import sync_account
from jobs.sync_pass import DISCOVER_PAGES, Report
from tests.jobs.fake_zencoder import PAGE_SIZE, Answer, FakeZencoder, failing

pytestmark = pytest.mark.django_db


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


def test_an_import_reads_each_page_once_and_the_next_pass_one_page(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, 20 * PAGE_SIZE)
    report = run(new_account)
    assert (report.ok, report.created, report.requests) == (True, 20 * PAGE_SIZE, 21)
    assert (new_account.is_importing, new_account.import_cursor) == (False, "")
    assert set(JobEvent.objects.values_list("source", flat=True)) == {"import"}
    before = list(Job.objects.order_by("pk").values())
    report = run(new_account)
    assert (report.created, report.changed, report.requests) == (0, 0, 1)
    assert list(Job.objects.order_by("pk").values()) == before


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
    assert (report.created, zencoder.asked["list"]) == (2 * PAGE_SIZE, 3)
    assert not new_account.is_importing
    assert new_account.last_pass_at == began  # what came since is not covered by this walk


def test_a_background_import_gives_way_to_the_rate_limit_and_is_no_failure(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, 6 * PAGE_SIZE - 1)
    new_account.options = {"requests_per_minute": "4"}
    new_account.save()
    report = run(new_account, foreground=False)
    assert (report.ok, report.requests, new_account.import_cursor) == (True, 4, "5")
    assert new_account.consecutive_failures == 0
    assert new_account.last_success_at
    wait = new_account.next_sync_at - timezone.now()
    assert timedelta(seconds=30) < wait <= timedelta(seconds=60)
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
    now = timezone.now()
    RateBudget.objects.create(
        account=new_account, bucket="list", window_started_at=now, used=100_000 - 1
    )
    run(new_account, foreground=False)
    assert Job.objects.get(status="running").progress == 61.5


def test_a_walk_stops_at_the_first_page_without_news(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, 5 * PAGE_SIZE)
    run(new_account)
    fill(zencoder, 5 * PAGE_SIZE + 1, 5 * PAGE_SIZE + 60)
    report = run(new_account)
    assert (report.created, report.requests) == (60, 3)


def test_a_page_with_a_running_job_is_not_the_last(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, 4 * PAGE_SIZE)
    zencoder.add(4 * PAGE_SIZE, "waiting")
    run(new_account)
    zencoder.asked.clear()
    run(new_account)
    assert zencoder.asked["list"] == 2


def test_an_interrupted_walk_is_not_mistaken_for_a_whole_one(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.jobs = {}
    run(new_account)
    young = int(timezone.now().timestamp())
    created = {"created_at": (timezone.now() + timedelta(minutes=1)).isoformat()}
    for number in range(young, young + 3 * PAGE_SIZE):
        zencoder.add(number, **created)

    def breaks(request: requests.PreparedRequest) -> Answer | None:
        return failing(500)(request) if "page=2" in str(request.url) else None

    zencoder.faults["list"] = breaks
    assert run(new_account).created == PAGE_SIZE
    zencoder.faults.clear()
    assert run(new_account).created == 2 * PAGE_SIZE


def test_a_walk_that_finds_too_much_becomes_an_import_again(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, PAGE_SIZE)
    run(new_account)
    fill(zencoder, PAGE_SIZE + 1, (DISCOVER_PAGES + 3) * PAGE_SIZE)
    run(new_account)
    assert new_account.imported_at is None
    run(new_account)
    assert ProviderAccount.objects.get().imported_at
    assert Job.objects.count() == (DISCOVER_PAGES + 3) * PAGE_SIZE


def test_a_server_that_ignores_the_page_number_ends_the_walk(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, PAGE_SIZE)
    answer = zencoder._list

    def same(request: requests.PreparedRequest) -> Answer:
        request.url = str(request.url).split("?")[0] + "?page=1"
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
    del zencoder.jobs[99]
    assert run(new_account).gone == 0
    report = run(new_account, full=True)
    assert report.gone == 2
    gone = Job.objects.filter(gone_at__isnull=False)
    assert set(gone.values_list("remote_id", "status")) == {
        ("7", "succeeded"),
        ("99", "succeeded"),
    }
    assert run(new_account, full=True).gone == 0
    zencoder.add(7)
    run(new_account, full=True)
    assert not Job.objects.filter(remote_id="7", gone_at__isnull=False).exists()


def test_progress_is_told_while_pages_are_read(
    new_account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    fill(zencoder, 1, PAGE_SIZE + 9)
    seen: list[int] = []
    sync_account(
        new_account.pk, foreground=True, on_progress=lambda account, jobs: seen.append(jobs)
    )
    assert seen == [PAGE_SIZE, PAGE_SIZE + 9]
