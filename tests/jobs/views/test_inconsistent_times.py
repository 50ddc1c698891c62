"""What a row and the page of a job say of times that are missing, ahead or contradictory."""

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from jobs.models import Job, ProviderAccount
from providers.core.status import JobStatus
from tests.jobs.factories import NOON, make_job
from tests.jobs.views.test_job_list import LIST, rows

AHEAD = "in 5 h: the provider&#x27;s clock is ahead"


def row_of(viewer: Client, query: str = "") -> str:
    (row,) = rows(viewer.get(f"{LIST}{query}").content.decode())
    return re.sub(r"\s+", " ", row)


def test_times_ahead_of_us_are_said_to_be_ahead(viewer: Client, account: ProviderAccount) -> None:
    wrong = timezone.now() + timedelta(hours=5.5)
    job = make_job(account, created_at=wrong, started_at=wrong, finished_at=wrong)
    Job.objects.update(sort_at=NOON, ended_at=NOON, ended_at_source="estimated")
    for query in ("", "?sort=-finished"):
        row = row_of(viewer, query)
        assert AHEAD in row
        assert "0 s ago" not in row
    page = viewer.get(f"{LIST}{job.pk}/").content.decode()
    assert "Some of these times are in the future" in page
    Job.objects.update(created_at=NOON, started_at=NOON, finished_at=NOON)
    page = viewer.get(f"{LIST}{job.pk}/").content.decode()
    assert "Some of these times are in the future" not in page


def test_a_start_in_the_future_is_no_running_time(viewer: Client, account: ProviderAccount) -> None:
    wrong = timezone.now() + timedelta(hours=5.5)
    make_job(account, status=JobStatus.RUNNING, created_at=wrong, started_at=wrong)
    assert AHEAD in row_of(viewer, "?status=running")
    assert "clock ahead" in row_of(viewer)
    assert "data-elapsed" not in row_of(viewer)


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"started_at": None}, 1),
        ({"started_at": NOON + timedelta(minutes=1)}, 1),
        # the wait is unknown; both ends of the run are by the same clock
        ({"started_at": NOON + timedelta(hours=5), "sort_started_at": NOON}, 1),
    ],
)
def test_a_span_to_a_time_in_the_future_is_no_length(
    viewer: Client, account: ProviderAccount, fields: dict[str, Any], count: int
) -> None:
    ended = {"finished_at": NOON + timedelta(hours=6), "ended_at": NOON}
    job = make_job(account, ended_at_source="observed", **ended, **fields)
    row = row_of(viewer)
    assert row.count(">clock ahead") == count
    assert "6:00:00" not in row
    assert "5:00:00" not in row
    assert ">clock ahead</span>" in viewer.get(f"{LIST}{job.pk}/").content.decode()


def test_an_end_of_a_job_in_an_unknown_status_is_not_ahead(
    viewer: Client, account: ProviderAccount
) -> None:
    """It has no end of ours, since it may not have ended."""
    ended = NOON + timedelta(minutes=2)
    make_job(account, status=JobStatus.UNKNOWN, started_at=None, finished_at=ended)
    row = row_of(viewer, "?status=unknown")
    assert "clock ahead" not in row
    assert ">2:00<" in row


def test_a_start_a_moment_ahead_is_now(viewer: Client, account: ProviderAccount) -> None:
    soon = timezone.now() + timedelta(seconds=30)
    make_job(account, status=JobStatus.RUNNING, created_at=NOON, started_at=soon)
    row = row_of(viewer, "?status=running")
    assert "0 s ago" in row
    assert "clock" not in row


@pytest.mark.parametrize(
    ("times", "count"),
    [
        ({"started_at": None, "finished_at": NOON - timedelta(minutes=3)}, 1),
        ({"started_at": NOON + timedelta(seconds=9), "finished_at": NOON}, 1),
        ({"started_at": NOON - timedelta(hours=1), "finished_at": NOON - timedelta(hours=2)}, 2),
    ],
)
def test_an_end_before_its_start_is_inconsistent(
    viewer: Client, account: ProviderAccount, times: dict[str, Any], count: int
) -> None:
    job = make_job(account, created_at=NOON, **times)
    row = row_of(viewer)
    assert row.count(">inconsistent<") == 1
    assert "The provider reports an end before the start" in row
    assert "Not reported" not in row
    page = viewer.get(f"{LIST}{job.pk}/").content.decode()
    assert page.count(">inconsistent</span>") == count


@pytest.mark.parametrize(
    ("source", "phrase"),
    [
        ("observed", "This is when Reelboard saw that the job had ended."),
        ("estimated", "This is when it started, was created or was first seen."),
    ],
)
def test_an_end_that_the_provider_did_not_report_says_what_it_is(
    viewer: Client, account: ProviderAccount, source: str, phrase: str
) -> None:
    job = make_job(account, status=JobStatus.FAILED, finished_at=None)
    Job.objects.update(ended_at=timezone.now() - timedelta(hours=3), ended_at_source=source)
    row = row_of(viewer, "?status=failed&finished_after=1d")
    assert "3 h ago" in row
    assert f">{source}</span>" in row
    assert phrase in row
    assert phrase in viewer.get(f"{LIST}{job.pk}/").content.decode()


def test_a_finished_job_without_outputs_has_none(viewer: Client, account: ProviderAccount) -> None:
    for status, is_listed, phrase in (
        (JobStatus.SUCCEEDED, True, "None"),
        (JobStatus.SUCCEEDED, False, "Not reported"),
        (JobStatus.FAILED, False, "None"),
        (JobStatus.CANCELLED, False, "None"),
        (JobStatus.RUNNING, False, "None yet"),
    ):
        Job.objects.all().delete()
        job = make_job(account, status=status, has_listed_outputs=is_listed)
        assert f'<span class="visually-hidden">{phrase}</span>' in row_of(viewer)
        page = viewer.get(f"{LIST}{job.pk}/").content.decode()
        assert ("No outputs yet." in page) is (phrase == "None yet")


def test_a_suspect_says_why(viewer: Client, account: ProviderAccount) -> None:
    why = "Output web is 6:07 long, but its input is 32:00."
    job = make_job(account, is_suspect=True, suspect_reason=why)
    row = row_of(viewer)
    assert f'title="{why}"' in row
    assert "Suspect" in row
    assert why in viewer.get(f"{LIST}{job.pk}/").content.decode()
