"""What lists and job pages say of jobs that are gone, unconfirmed, or fixed by a retry."""

import re
from datetime import timedelta

import pytest
from django.test import Client

from jobs.models import Job, ProviderAccount
from providers.core.status import JobStatus
from tests.jobs.factories import NOON, make_job, make_output
from tests.jobs.views.list_page import LIST, tab_counts
from tests.jobs.views.test_job_list import rows
from tests.markup import without_isolation


def phrase(html: str) -> str:
    return " ".join(html.split())


def page_of(client: Client, job: Job) -> str:
    return phrase(client.get(f"{LIST}{job.pk}/").content.decode())


@pytest.fixture
def gone(account: ProviderAccount) -> Job:
    return make_job(
        account,
        status=JobStatus.RUNNING,
        progress=40.0,
        started_at=NOON,
        gone_at=NOON + timedelta(minutes=12),
    )


def test_a_gone_job_is_no_longer_shown_as_running(viewer: Client, gone: Job) -> None:
    html = viewer.get(LIST).content.decode()
    (row,) = rows(html)
    assert "Gone, last seen running" in row
    assert 'data-status="gone"' in row  # which the script does not poll as active
    assert "data-elapsed" not in row
    assert "12:00" in row
    assert "<progress" not in row
    assert tab_counts(html) == {
        "all": "1", "running": "0", "queued": "0", "failed": "0", "succeeded": "0"
    }  # fmt: skip
    assert rows(viewer.get(f"{LIST}?status=running").content.decode()) == []
    assert len(rows(viewer.get(f"{LIST}?gone=true").content.decode())) == 1


def test_the_page_of_a_gone_job_does_not_change(viewer: Client, gone: Job) -> None:
    html = page_of(viewer, gone)
    assert "Gone, last seen running" in html
    assert "data-elapsed" not in html
    assert 'data-active="no"' in html
    assert 'gone since <time datetime="2026-03-14T12:12:00Z"' in html


@pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.QUEUED])
def test_nothing_is_awaited_of_a_gone_job(
    viewer: Client, account: ProviderAccount, status: JobStatus
) -> None:
    gone = make_job(account, status=status, started_at=None, gone_at=NOON + timedelta(minutes=12))
    for html in (page_of(viewer, gone), phrase(viewer.get(LIST).content.decode())):
        assert not re.search(r"\byet\b", html)
    make_output(gone, status="running", progress=40.0)
    html = page_of(viewer, gone)
    assert html.count("Gone, last seen") >= 2  # the job and its output
    assert "<progress" not in html


def test_a_job_that_ended_before_it_was_gone_keeps_its_status(
    viewer: Client, account: ProviderAccount
) -> None:
    make_job(account, status=JobStatus.FAILED, gone_at=NOON)
    html = viewer.get(f"{LIST}?status=failed&unresolved=true").content.decode()
    (row,) = rows(html)
    assert 'data-status="failed"' in row
    assert "last seen" not in row
    assert tab_counts(html)["failed"] == "1"


@pytest.mark.parametrize(
    "state", [{"consecutive_failures": 1}, {"refused_at": NOON}, {"enabled": False}]
)
@pytest.mark.parametrize("status", [JobStatus.RUNNING, JobStatus.QUEUED])
def test_durations_stop_at_the_last_confirmation_of_a_failing_account(
    viewer: Client, account: ProviderAccount, status: JobStatus, state: dict[str, object]
) -> None:
    job = make_job(account, status=status, started_at=None)
    confirmed_at = NOON + timedelta(minutes=7)
    accounts = ProviderAccount.objects.filter(pk=account.pk)
    accounts.update(last_success_at=confirmed_at)
    (row,) = rows(viewer.get(LIST).content.decode())
    assert "data-elapsed" in row
    accounts.update(**state)
    (row,) = rows(viewer.get(LIST).content.decode())
    assert "data-elapsed" not in row
    assert ">7:00<" in row
    assert "confirmed <time" in row
    html = page_of(viewer, job)
    assert "data-elapsed" not in html
    assert 'last confirmed <time datetime="2026-03-14T12:07:00Z"' in html


def test_a_submission_that_waits_here_is_timed_by_us(
    viewer: Client, account: ProviderAccount
) -> None:
    make_job(account, status=JobStatus.SUBMITTING, remote_id=None, created_at=None)
    ProviderAccount.objects.update(enabled=False)
    (row,) = rows(viewer.get(LIST).content.decode())
    assert "data-elapsed" in row


@pytest.fixture
def retried(account: ProviderAccount) -> Job:
    retry = make_job(account)
    return make_job(account, status=JobStatus.FAILED, resolved_by=retry)


def test_a_failure_that_a_retry_fixed_leads_to_it(viewer: Client, retried: Job) -> None:
    mark = f'href="{LIST}{retried.resolved_by_id}/"'
    row = next(row for row in rows(viewer.get(LIST).content.decode()) if "Failed" in row)
    assert "Retry succeeded" in row
    assert mark in row
    assert "Retry succeeded" in page_of(viewer, retried)
    assert retried.resolved_by is not None
    assert "Retry succeeded" not in page_of(viewer, retried.resolved_by)


def test_the_failed_tab_counts_and_lists_what_no_retry_fixed(
    viewer: Client, account: ProviderAccount, retried: Job
) -> None:
    failed = make_job(account, status=JobStatus.FAILED)
    everything = viewer.get(LIST)
    tab = next(tab for tab in everything.context["tabs"] if tab.name == "failed")
    assert tab.url == f"{LIST}?status=failed&unresolved=true"
    response = viewer.get(tab.url)
    assert [job.pk for job in response.context["page"].rows] == [failed.pk]
    assert tab_counts(response.content.decode())["failed"] == "1"
    assert 'data-announce="1 job found."' in response.content.decode()
    with_retried = viewer.get(response.context["retried"].url)
    assert {job.pk for job in with_retried.context["page"].rows} == {failed.pk, retried.pk}
    assert tab_counts(with_retried.content.decode())["failed"] == "1"
    assert 'data-announce="2 jobs found."' in with_retried.content.decode()
    assert [tab.name for tab in with_retried.context["tabs"] if tab.is_current] == ["failed"]
    assert with_retried.context["retried"].url == tab.url
    assert "Show retried" not in everything.content.decode()


def test_other_filters_stay_while_tabs_and_the_switch_are_used(
    viewer: Client, retried: Job
) -> None:
    response = viewer.get(f"{LIST}?status=failed&unresolved=true&q=episode&gone=false")
    urls = [tab.url for tab in response.context["tabs"]] + [response.context["retried"].url]
    assert all("q=episode" in url and "gone=false" in url for url in urls)
    assert [url for url in urls if "unresolved" in url] == [
        f"{LIST}?gone=false&q=episode&status=failed&unresolved=true"
    ]


def test_the_filters_for_gone_and_unresolved_show_what_is_chosen(
    viewer: Client, retried: Job
) -> None:
    html = phrase(viewer.get(f"{LIST}?gone=false&unresolved=true").content.decode())
    assert 'Show retried<span class="visually-hidden">: off</span>' in html
    assert "Gone: <strong>Not gone</strong>" in without_isolation(html)
    assert f'href="{LIST}?unresolved=true" title="Remove this filter"' in html
