"""How much longer a running job takes, in its row."""

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.models import Job, ProviderAccount, UsualTimes
from tests.jobs.factories import make_job, make_output
from tests.jobs.views.list_page import ListPage
from tests.jobs.views.test_job_list import LIST, QUERIES

pytestmark = pytest.mark.database

MINUTE = timedelta(minutes=1)


@pytest.fixture
def running(account: ProviderAccount) -> Job:
    """For four minutes; jobs like it mostly take eight to thirteen."""
    begun = timezone.now() - 4 * MINUTE
    job = make_job(
        account,
        status="running",
        created_at=begun - MINUTE,
        started_at=begun,
        outputs_total=1,
        input_duration_ms=60_000,
    )
    make_output(job, status="running")
    UsualTimes.objects.create(
        account=account,
        shape="video 1/2",
        run_jobs=412,
        run_p25_ms=480_000,
        run_p90_ms=780_000,
        wait_jobs=412,
    )
    return job


def test_a_running_job_has_a_range_and_another_none(viewer: Client, running: Job) -> None:
    other = make_job(running.account, status="running", started_at=timezone.now())
    html = viewer.get(LIST).text
    assert html.count("data-left") == 1
    assert "4–9 min left" in html
    assert 'title="From 412 comparable jobs, after 1:00 wait"' in html
    assert f"#{other.pk}" in html


def test_a_poll_brings_it_as_well(viewer: Client, running: Job) -> None:
    page = ListPage.open(viewer)
    Job.objects.filter(pk=running.pk).update(progress=40, version=running.version + 1)
    assert "4–9 min left" in page.poll()


def test_it_costs_two_queries_for_all_rows(
    viewer: Client, running: Job, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        make_job(running.account, status="running", started_at=timezone.now())
    viewer.get(LIST)
    with django_assert_num_queries(QUERIES + 2):
        viewer.get(LIST)
