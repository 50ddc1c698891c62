"""The poll of a list: only what changed comes back, and nothing at all when nothing did."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.accounts.freshness import fingerprint
from jobs.actions.end_notices import notices_of
from jobs.models import BulkAction, EndNotice, Job, Mention, ProviderAccount
from jobs.notes.mentions import unread_of
from jobs.query.arrivals import mark, versions_of
from jobs.query.counts import RowCount
from jobs.views.shared.layout import freshness_of, health_accounts, running_bulk
from jobs.views.shared.poll_query import poll_accounts
from organizations.access import Access
from organizations.models import Organization, Role
from providers.core.status import JobStatus
from tests.factories import make_membership
from tests.jobs.factories import NOON, make_account, make_bulk, make_job, make_note
from tests.jobs.views.list_page import ListPage

LIVE = "/o/harbour-studio/jobs/live/"


@pytest.fixture
def jobs(account: ProviderAccount) -> list[Job]:
    return [make_job(account, created_at=NOON + timedelta(hours=hour)) for hour in range(3)]


def shown(jobs: list[Job], studio: Organization, **changes: Any) -> dict[str, Any]:
    """What a page that shows `jobs` says of itself."""
    return {
        "rows": "_".join(f"{job.pk}.{job.version}" for job in jobs),
        "since": mark(ProviderAccount.objects.filter(organization=studio)),
        "new": "0",
        "health": fingerprint(freshness_of(studio)),
    } | changes


def test_nothing_changed_is_an_empty_answer(
    viewer: Client, jobs: list[Job], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    page = ListPage.open(viewer)
    page.poll()
    # session, user; membership, accounts with the versions of their jobs
    with django_assert_num_queries(4):
        response = page.ask()
    assert (response.status_code, response.content) == (204, b"")


def test_the_sidebar_follows_running_bulk_actions_without_a_query_of_its_own(
    viewer: Client,
    studio: Organization,
    jobs: list[Job],
    foreign_job: Job,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    make_bulk(foreign_job)
    idle = shown(jobs, studio, bulk="0")
    assert viewer.get(LIVE, idle).status_code == 204
    bulk = make_bulk(jobs[0])
    with django_assert_num_queries(4):
        html = viewer.get(LIVE, idle).content.decode()
    assert 'id="side-bulk"' in html
    assert "1 running" in html
    with django_assert_num_queries(4):
        assert viewer.get(LIVE, idle | {"bulk": "1"}).status_code == 204
    BulkAction.objects.filter(pk=bulk.pk).update(state="done", next_at=None)
    html = viewer.get(LIVE, idle | {"bulk": "1"}).content.decode()
    assert 'data-count="0"' in html


def test_the_statement_that_is_written_once_is_that_of_any_organization_and_member(
    studio: Organization, account: ProviderAccount, job: Job, foreign_job: Job
) -> None:
    for organization in (studio, foreign_job.organization, studio):
        member = make_membership(organization)
        access = Access(member.user, organization, Role.VIEWER, member.pk)
        EndNotice.objects.create(job=job, membership=member)
        make_bulk(foreign_job)
        note = make_note(job, member.user)
        Mention.objects.create(note=note, membership=member)
        for pks in ([], [job.pk], [foreign_job.pk, job.pk]):
            columns = {
                "shown": versions_of(organization, pks),
                "notices": notices_of(member.pk),
                "mentions": unread_of(member.pk),
                "bulk_running": RowCount(running_bulk(organization).order_by().values("pk")),
            }
            [expected] = health_accounts(organization, **columns)
            [found] = poll_accounts(access, pks)
            assert found.__dict__.keys() == expected.__dict__.keys()
            for name in columns.keys() | {"id", "name", "revision", "imported_at"}:
                assert getattr(found, name) == getattr(expected, name), name


def test_only_the_changed_row_comes_back(
    viewer: Client, studio: Organization, jobs: list[Job]
) -> None:
    asked = shown(jobs, studio)
    Job.objects.filter(pk=jobs[1].pk).update(status=JobStatus.FAILED, version=F("version") + 1)
    html = viewer.get(LIVE, asked).content.decode()
    assert f'<tr id="job-{jobs[1].pk}"' in html
    assert html.count("<tr ") == 1
    assert html.count("hx-swap-oob") == 1
    assert "accounts" not in html


def test_a_job_of_another_organization_never_comes_back(
    viewer: Client, studio: Organization, jobs: list[Job], foreign_job: Job
) -> None:
    asked = shown(jobs, studio)
    asked["rows"] += f"_{foreign_job.pk}.0"
    assert viewer.get(LIVE, asked).status_code == 204


def test_accounts_come_back_when_one_of_them_changed(
    viewer: Client, studio: Organization, account: ProviderAccount, jobs: list[Job]
) -> None:
    asked = shown(jobs, studio)
    ProviderAccount.objects.filter(pk=account.pk).update(
        consecutive_failures=3,
        last_error_class="provider.outage",
        last_error_message="Zencoder answered 503.",
    )
    html = viewer.get(LIVE, asked).content.decode()
    assert 'id="health"' in html
    assert "Zencoder answered 503." in html
    assert "<tr " not in html


def test_a_page_without_a_list_asks_about_the_accounts_alone(
    viewer: Client, studio: Organization, jobs: list[Job]
) -> None:
    mark = fingerprint(freshness_of(studio))
    assert viewer.get(LIVE, {"health": mark}).status_code == 204
    assert viewer.get(LIVE, {"health": "old"}).content.decode().count("hx-swap-oob") == 3


@pytest.mark.parametrize("rows", ["", "x", "1.", "99999999999999999999.1", "1.1_" * 5000])
@pytest.mark.parametrize(
    "since", ["", "r", "r1", "r.", "r9.9_x", "2026-03-14T12:00Z", "r1.1_" * 999]
)
def test_whatever_a_page_says_of_itself_is_no_failure(
    viewer: Client, studio: Organization, jobs: list[Job], rows: str, since: str
) -> None:
    assert viewer.get(LIVE, {"rows": rows, "since": since}).status_code == 200


def test_a_stale_account_is_reported_with_since_when_and_why(
    viewer: Client, studio: Organization, account: ProviderAccount, job: Job
) -> None:
    make_account(studio, name="Sound")
    ten_minutes_ago = timezone.now() - timedelta(minutes=10)
    ProviderAccount.objects.filter(pk=account.pk).update(
        next_sync_at=ten_minutes_ago, expected_at=ten_minutes_ago
    )
    html = viewer.get("/o/harbour-studio/jobs/").content.decode()
    banners = html.split('id="banners"')[1].split("</section>")[0]
    assert "2026-03-14 12:00:00 UTC" in banners
    assert "Check that the worker and beat are running" in banners
    assert "Sound" not in banners
