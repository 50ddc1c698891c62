"""Accounts whose provider has no list that can be used: known jobs are read one by one."""

import json
from typing import Any

import pytest
from django.utils import timezone

from jobs.accounts.freshness import HealthStatus, describe_list, freshness
from jobs.actions.watching import watch_job
from jobs.models import Job, JobPoll, ProviderAccount
from jobs.sync.report import Report
from jobs.sync.runner import sync_account
from tests.jobs.factories import make_job
from tests.jobs.fake_zencoder import Answer, FakeZencoder, Fault, failing

pytestmark = pytest.mark.django_db


def run(account: ProviderAccount, **more: Any) -> Report:
    JobPoll.objects.update(next_at=timezone.now())
    report = sync_account(account.pk, **more)
    account.refresh_from_db()
    assert report is not None
    return report


def page(status: int) -> Fault:
    """A fault: a web page, as a server without such a path answers."""

    def answer(request: Any) -> Answer:
        return status, {"Content-Type": "text/html"}, "<h1>Cannot GET it</h1>"

    return answer


@pytest.fixture(
    params=[failing(404), failing(405), failing(403), failing(501), page(200), page(404)],
    ids=["404", "405", "403", "501", "page", "page-404"],
)
def listless(request: pytest.FixtureRequest, zencoder: FakeZencoder) -> FakeZencoder:
    zencoder.faults["list"] = request.param
    return zencoder


def test_known_jobs_are_read_one_by_one(account: ProviderAccount, listless: FakeZencoder) -> None:
    listless.add(71, "finished")
    running = make_job(account, remote_id="71", status="running")
    report = run(account)
    running.refresh_from_db()
    assert (report.ok, running.status) == (True, "succeeded")
    assert describe_list(account) == "Job list not available: 1 known job is watched."
    assert freshness(account, timezone.now()).status == HealthStatus.OK

    del listless.faults["list"]
    run(account)
    assert describe_list(account) == ""


def test_a_job_that_vanished_is_gone_where_another_one_is_known(
    account: ProviderAccount, listless: FakeZencoder
) -> None:
    listless.add(71, "processing")
    vanished = make_job(account, remote_id="70", status="running")
    kept = make_job(account, remote_id="71", status="running")
    run(account)
    vanished.refresh_from_db()
    kept.refresh_from_db()
    assert (vanished.gone_at is not None, kept.gone_at) == (True, None)


@pytest.mark.parametrize("full", [False, True])
def test_a_service_that_knows_no_job_loses_none(
    account: ProviderAccount, listless: FakeZencoder, full: bool
) -> None:
    jobs = [
        make_job(account, remote_id=str(number), status=status)
        for number, status in ((70, "running"), (71, "queued"), (72, "succeeded"))
    ]
    report = run(account, full=full)
    assert not report.ok
    assert not Job.objects.filter(gone_at__isnull=False).exists()
    assert (len(jobs), account.list_error, account.consecutive_failures) == (3, "", 1)


def test_an_idle_account_is_fine_while_an_ended_job_can_be_read(
    account: ProviderAccount, listless: FakeZencoder
) -> None:
    listless.add(71, "finished")
    make_job(account, remote_id="71")
    assert run(account).ok
    assert listless.asked["list"] == 1


def test_an_outage_of_the_list_is_an_outage(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.faults["list"] = failing(503)
    zencoder.add(71, "finished")
    make_job(account, remote_id="71", status="running")
    assert not run(account).ok
    assert (account.list_error, zencoder.asked["details"]) == ("", 0)


def test_a_watched_job_is_read_and_followed(
    account: ProviderAccount, listless: FakeZencoder
) -> None:
    listless.add(71, "processing")
    job, _ = watch_job(account, " 71 ")
    assert (job.status, job.synced_at, job.remote_id) == ("unknown", None, "71")
    assert run(account).ok
    job.refresh_from_db()
    assert (job.status, job.name) == ("running", "reel-71.mov")
    listless.move(71, "finished")
    run(account)
    job.refresh_from_db()
    assert job.status == "succeeded"
    assert [event.message for event in job.events.order_by("pk")][0] == "Added by its id"


def test_an_id_that_the_provider_does_not_know_is_gone(
    account: ProviderAccount, listless: FakeZencoder
) -> None:
    job, _ = watch_job(account, "99")
    run(account)
    job.refresh_from_db()
    assert (job.status, job.gone_at is not None, job.is_unread) == ("unknown", True, True)
    assert job.events.latest("pk").message == "Not known to the provider"
    assert not JobPoll.objects.filter(job=job).exists()

    listless.add(99, "finished")
    again, is_due = watch_job(account, "99")
    assert (again.pk, is_due, again.gone_at) == (job.pk, True, None)
    run(account)
    job.refresh_from_db()
    assert (job.status, job.gone_at) == ("succeeded", None)
    assert watch_job(account, "99") == (job, False)


def test_another_spelling_of_an_id_does_not_stay_unread(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.add(71, "finished")
    zencoder.faults["details 710"] = lambda request: (
        200,
        {"Content-Type": "application/json"},
        json.dumps({"job": zencoder.jobs[71]}),
    )
    job, _ = watch_job(account, "710")
    run(account)
    job.refresh_from_db()
    assert job.gone_at
    assert "calls this job 71" in job.events.latest("pk").message
    assert Job.objects.get(account=account, remote_id="71").status == "succeeded"
