"""The tabs' counts and the new jobs of an open list follow every change, whatever it shows."""

from datetime import timedelta
from threading import Event, Thread

import pytest
from django.db import connection, connections, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from jobs.mirror.endings import mark_gone
from jobs.models import EventSource, ProviderAccount
from organizations.models import Organization
from providers.core.status import JobStatus
from tests.jobs.answers import apply, failed, newest, reported
from tests.jobs.factories import make_account
from tests.jobs.views.list_page import ListPage, tab_counts
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.database


@pytest.fixture
def other(studio: Organization) -> ProviderAccount:
    return make_account(studio, name="Archive")


def test_counts_follow_jobs_that_the_page_does_not_show(
    viewer: Client, account: ProviderAccount, other: ProviderAccount
) -> None:
    apply(account, reported("1", JobStatus.SUCCEEDED))
    apply(other, reported("2"))
    page = ListPage.open(viewer, "?status=succeeded")
    assert not page.shows(newest(other, "2"))
    apply(other, failed("2"), at=60)
    counts = tab_counts(page.poll())
    assert (counts["running"], counts["failed"], counts["succeeded"]) == ("0", "1", "1")
    assert page.poll() == ""


def test_open_pages_share_the_counts_of_a_change(viewer: Client, account: ProviderAccount) -> None:
    apply(account, reported("1"))
    first, second = ListPage.open(viewer), ListPage.open(viewer, "?status=running")
    apply(account, failed("1"), at=60)
    with CaptureQueriesContext(connection) as counted:
        assert tab_counts(first.poll())["failed"] == "1"
    with CaptureQueriesContext(connection) as shared:
        assert tab_counts(second.poll())["failed"] == "1"
    assert [_counts(counted), _counts(shared)] == [1, 0]


def _counts(queries: CaptureQueriesContext) -> int:
    """Of jobs; the query for the accounts has counts of other things."""
    asked = [query["sql"] for query in queries.captured_queries]
    return sum(
        "(SELECT COUNT(*)" in sql and '"jobs_provideraccount"."id"' not in sql for sql in asked
    )


def test_counts_follow_a_job_that_is_gone(viewer: Client, account: ProviderAccount) -> None:
    apply(account, reported("1"))
    page = ListPage.open(viewer, "?status=queued")
    mark_gone(account, newest(account, "1"), source=EventSource.POLL, observed_at=timezone.now())
    counts = tab_counts(page.poll())
    assert (counts["running"], counts["all"]) == ("0", "1")
    assert page.poll() == ""


def test_a_change_of_progress_brings_the_row_and_then_nothing(
    viewer: Client, account: ProviderAccount
) -> None:
    apply(account, reported("1", progress=10.0))
    page = ListPage.open(viewer)
    apply(account, reported("1", progress=20.0), at=5)
    assert "20%" in page.poll()
    assert page.poll() == ""


def test_a_time_ahead_of_us_does_not_silence_new_jobs(
    viewer: Client, account: ProviderAccount, other: ProviderAccount
) -> None:
    ahead = timezone.now() + timedelta(hours=5, minutes=25)
    apply(account, reported("120", JobStatus.SUCCEEDED, created_at=ahead, finished_at=ahead))
    page = ListPage.open(viewer)
    apply(other, failed("7"), at=1)
    html = page.poll()
    assert "1 new job\n" in html
    assert tab_counts(html)["failed"] == "1"
    assert not page.shows(newest(other, "7"))
    assert page.poll() == ""
    apply(account, reported("121", created_at=ahead), at=2)
    assert "2 new jobs\n" in page.poll()


def test_a_job_that_changes_is_new_where_it_came_to_and_not_where_it_was(
    viewer: Client, account: ProviderAccount
) -> None:
    apply(account, reported("1"))
    failures = ListPage.open(viewer, "?status=failed&unresolved=true")
    everything = ListPage.open(viewer, "?limit=1")
    apply(account, reported("2"), at=1)
    assert "1 new job\n" in everything.poll()
    assert "new job\n" not in failures.poll()
    apply(account, failed("1"), at=2)
    assert "1 new job\n" in failures.poll()
    assert "new job" not in everything.poll().replace('id="new-jobs"', "")
    assert everything.new == "1"


def test_new_jobs_are_those_that_the_filters_let_through(
    viewer: Client, account: ProviderAccount, other: ProviderAccount
) -> None:
    page = ListPage.open(viewer, "?account=Archive")
    apply(account, reported("1"))
    page.poll()
    assert page.new == "0"
    apply(other, reported("1"))
    page.poll()
    assert page.new == "1"


@pytest.mark.parametrize("query", ["?sort=created", "?status=nonsense"])
def test_where_new_jobs_do_not_come_on_top_none_are_announced(
    viewer: Client, account: ProviderAccount, query: str
) -> None:
    page = ListPage.open(viewer, query)
    apply(account, reported("1"))
    page.poll()
    assert page.new == "0"


@pytest.mark.parametrize("query", ["", "?status=succeeded", "?status=running"])
def test_the_history_that_a_first_import_brings_is_no_news(
    viewer: Client, studio: Organization, query: str
) -> None:
    fresh = make_account(studio, name="Fresh", imported_at=None)
    page = ListPage.open(viewer, query)
    old = [reported("1", JobStatus.SUCCEEDED), reported("2")]
    apply(fresh, *old)
    page.poll()
    assert page.new == "0"
    started = timezone.now()
    apply(
        fresh,
        reported("3", created_at=started),
        reported("4", JobStatus.SUCCEEDED, created_at=started),
    )
    ProviderAccount.objects.filter(pk=fresh.pk).update(imported_at=timezone.now())
    apply(
        fresh, reported("5"), reported("6", JobStatus.SUCCEEDED)
    )  # as old, but found after the import
    page.poll()
    assert page.new == ("2" if query else "4")


@pytest.mark.django_db(transaction=True)
def test_a_job_that_was_written_before_the_page_and_committed_after_it_is_new(
    account: ProviderAccount, other: ProviderAccount, viewer: Client
) -> None:
    is_written, may_commit = Event(), Event()

    def write_slowly() -> None:
        with transaction.atomic():
            apply(account, reported("slow"))
            is_written.set()
            may_commit.wait(PATIENCE_S)
        connections.close_all()

    ListPage.open(viewer)  # the first visit writes a session
    slow = Thread(target=write_slowly)
    slow.start()
    assert is_written.wait(PATIENCE_S)
    if connection.vendor == "postgresql":  # SQLite has one writer at a time
        apply(other, reported("fast"))
    page = ListPage.open(viewer)
    may_commit.set()
    slow.join(PATIENCE_S)
    page.poll()
    assert page.new == "1"


def test_the_durations_of_a_failing_account_stop_on_an_open_page(
    viewer: Client, account: ProviderAccount
) -> None:
    apply(account, reported("1"), reported("2", JobStatus.SUCCEEDED))
    running = newest(account, "1")
    page = ListPage.open(viewer)
    ProviderAccount.objects.filter(pk=account.pk).update(consecutive_failures=1)
    html = page.poll()
    assert html.count("<tr ") == 1
    assert f'<tr id="job-{running.pk}"' in html
    assert "data-elapsed" not in html
    assert page.poll() == ""
    ProviderAccount.objects.filter(pk=account.pk).update(consecutive_failures=0)
    assert "data-elapsed" in page.poll()
