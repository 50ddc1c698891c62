"""Stuck jobs in the filter controls, and in a list that stays open."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import Job, ProviderAccount
from jobs.stuck.marking import mark_stuck
from tests.jobs.factories import make_job
from tests.jobs.views.list_page import ListPage, tab_counts
from tests.markup import without_isolation

LIST = "/o/harbour-studio/jobs/"

pytestmark = pytest.mark.database


@pytest.fixture
def slow(account: ProviderAccount) -> Job:
    """A job that has run for longer than any account allows by default."""
    begun = timezone.now() - timedelta(hours=30)
    ProviderAccount.objects.filter(pk=account.pk).update(last_success_at=timezone.now())
    return make_job(
        account,
        status="running",
        created_at=begun,
        started_at=begun,
        first_seen_at=begun,
        changed_at=timezone.now(),
    )


def test_a_menu_chooses_them_and_says_what_is_chosen(viewer: Client, slow: Job) -> None:
    html = viewer.get(LIST).text
    assert 'href="/o/harbour-studio/jobs/?stuck=true"' in html
    assert 'href="/o/harbour-studio/jobs/?stuck=false"' in html
    chosen = without_isolation(viewer.get(f"{LIST}?stuck=true").text)
    assert "Stuck: <strong>Only stuck</strong>" in chosen


def test_an_open_list_shows_the_mark_and_counts_anew_once(viewer: Client, slow: Job) -> None:
    everything, stuck = ListPage.open(viewer), ListPage.open(viewer, "?stuck=true")
    mark_stuck(timezone.now())
    assert "Stuck" in everything.poll()
    assert tab_counts(stuck.poll())["running"] == "1"
    mark_stuck(timezone.now())
    assert [everything.poll(), stuck.poll()] == ["", ""]


def test_a_mark_is_no_change_of_the_job_nor_a_new_one(viewer: Client, slow: Job) -> None:
    page = ListPage.open(viewer, "?status=running")
    before = Job.objects.values("changed_at", "status_revision").get(pk=slow.pk)
    mark_stuck(timezone.now())
    assert Job.objects.get(pk=slow.pk).is_stuck
    assert Job.objects.values("changed_at", "status_revision").get(pk=slow.pk) == before
    assert "new job" not in page.poll()
