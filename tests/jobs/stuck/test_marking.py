"""Marking stuck jobs: what they are compared with, on every screen, and what ends the mark."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from jobs.display.stuck import rough, stuck_sentence, time_left_text
from jobs.models import EventSource, Job, JobEvent, JobPoll, ProviderAccount, UsualTimes
from jobs.stuck.history import learn_usual_times
from jobs.stuck.marking import mark_stuck
from jobs.stuck.time_left import TimeLeft, find_usual, read_time_left
from organizations.models import Organization, Role
from tests.factories import make_membership, make_organization
from tests.jobs.factories import make_account, make_job, make_output

MINUTE = timedelta(minutes=1)


@pytest.fixture
def studio(db: None) -> Organization:
    return make_organization("harbour-studio")


@pytest.fixture
def account(studio: Organization) -> ProviderAccount:
    return make_account(studio, last_success_at=timezone.now(), name="Main")


def make_history(account: ProviderAccount, number: int = 20) -> None:
    """Jobs of one output that ran for ten minutes and waited for one."""
    now = timezone.now()
    for _ in range(number):
        started = now - timedelta(hours=3)
        job = make_job(
            account,
            created_at=started - MINUTE,
            started_at=started,
            finished_at=started + 10 * MINUTE,
            outputs_total=1,
            input_duration_ms=60_000,
        )
        make_output(job)


def make_running(account: ProviderAccount, minutes: int, **fields: Any) -> Job:
    begun = timezone.now() - minutes * MINUTE
    values = {"outputs_total": 1, "input_duration_ms": 61_000, "changed_at": timezone.now()}
    job = make_job(
        account, status="running", created_at=begun, started_at=begun, **(values | fields)
    )
    make_output(job, status="running")
    JobPoll.objects.filter(job=job).update(confirmed_at=timezone.now())
    return job


def time_left(job: Job) -> TimeLeft | None:
    return read_time_left(job, find_usual(job), timezone.now())


def run() -> None:
    learn_usual_times(timezone.now())
    mark_stuck(timezone.now())


def kind_of(job: Job) -> str:
    job.refresh_from_db()
    return job.stuck_kind if job.is_stuck else ""


def test_a_job_is_compared_with_those_like_it(account: ProviderAccount) -> None:
    make_history(account)
    make_history(make_account(account.organization))
    long = make_running(account, 26)
    usual = make_running(account, 19)
    # so long an input nobody has sent before
    other = make_running(account, 26, input_duration_ms=3_600_000)
    # of what is not known yet, all values are comparable
    unknown = make_running(account, 26, outputs_total=0, input_duration_ms=None)
    waiting = make_job(account, status="queued", created_at=timezone.now() - 8 * MINUTE)
    JobPoll.objects.update(confirmed_at=timezone.now())
    run()
    assert [kind_of(job) for job in (long, usual, other, unknown)] == ["slow", "", "", "slow"]
    assert kind_of(waiting) == "slow"
    assert stuck_sentence(long, timezone.now()) == (
        "Running for 26 min; 95% of 20 comparable jobs finished within 10 min."
    )
    assert stuck_sentence(waiting, timezone.now()) == (
        "Waiting for 8 min; 95% of 20 jobs here started within 60 s."
    )
    left = time_left(make_running(account, 4))
    assert left is not None
    assert (left.text, left.jobs) == ("about 6 min left", 20)
    assert time_left(usual) is None


def test_with_too_few_comparable_jobs_the_limit_of_the_account_counts(
    account: ProviderAccount,
) -> None:
    make_history(account, 19)
    job = make_running(account, 26)
    run()
    assert kind_of(job) == ""
    assert not UsualTimes.objects.exists()
    account.options["stuck_after_min"] = "25"
    account.save()
    run()
    assert kind_of(job) == "limit"
    assert "the limit of this account is 25 min" in stuck_sentence(job, timezone.now())


def test_a_job_in_trouble_is_stuck_however_short_it_runs(account: ProviderAccount) -> None:
    now = timezone.now()
    still = make_running(account, 40, progress=43.0, changed_at=now - 35 * MINUTE)
    silent = make_running(account, 40)
    JobPoll.objects.filter(job=silent).update(confirmed_at=now - 20 * MINUTE)
    looping = make_running(account, 40)
    for _ in range(3):
        for before, after in (("queued", "running"), ("running", "queued")):
            JobEvent.build(looping, EventSource.POLL, before, after).save()
    run()
    assert [kind_of(job) for job in (still, silent, looping)] == [
        *("still", "unconfirmed", "restarted")
    ]
    assert "its progress has not moved for 35 min" in stuck_sentence(still, now)
    assert "has not confirmed this job for 20 min" in stuck_sentence(silent, now)
    assert "back into the queue 3 times" in stuck_sentence(looping, now)
    # once it goes on, it is not stuck
    Job.objects.filter(pk=still.pk).update(progress=50.0, changed_at=timezone.now())
    run()
    assert kind_of(still) == ""


@pytest.mark.parametrize(
    "change", [{"status": "succeeded"}, {"status": "queued"}, {"gone_at": timezone.now()}]
)
def test_whatever_moves_a_job_on_ends_its_mark(
    account: ProviderAccount, change: dict[str, Any]
) -> None:
    make_history(account)
    job = make_running(account, 30)
    run()
    version = job.version
    assert kind_of(job) == "slow"
    assert job.version == version + 1
    run()
    assert kind_of(job) == "slow"
    assert job.version == version + 1, "a second run writes nothing"
    Job.objects.filter(pk=job.pk).update(**change)
    assert kind_of(job) == ""


def test_nothing_is_said_of_an_account_that_cannot_be_asked(account: ProviderAccount) -> None:
    make_history(account)
    learn_usual_times(timezone.now())
    job = make_running(account, 30)
    ProviderAccount.objects.filter(pk=account.pk).update(enabled=False)
    mark_stuck(timezone.now())
    assert kind_of(job) == ""


def test_it_takes_as_many_queries_for_many_jobs_as_for_one(
    account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    make_history(account)
    learn_usual_times(timezone.now())
    for count in (1, 9):
        for _ in range(count):
            make_running(account, 15)
        with django_assert_num_queries(6):
            mark_stuck(timezone.now())


def test_it_is_on_every_screen(account: ProviderAccount, studio: Organization) -> None:
    make_history(account)
    job = make_running(account, 30)
    make_running(account, 5)
    member = Client()
    member.force_login(make_membership(studio, Role.VIEWER).user)
    jobs = reverse("jobs:list", args=[studio.slug])
    assert "Nothing is stuck" in member.get(f"{jobs}?stuck=true").text
    run()
    for query in ("stuck=true", "q=is:stuck", "q=is:stuck+OR+is:suspect"):
        text = member.get(f"{jobs}?{query}").text
        assert text.count('<tr id="job-') == 1
        assert "Stuck: usual 10 min" in text
        assert "95% of 20 comparable jobs finished within 10 min" in text
    assert member.get(f"{jobs}?stuck=false").text.count('<tr id="job-') == 21
    page = member.get(reverse("jobs:detail", args=[studio.slug, job.pk])).text
    assert "95% of 20 comparable jobs finished within 10 min" in page
    overview = member.get(reverse("insights:overview", args=[studio.slug])).text
    assert f'href="{jobs}?stuck=true"' in overview


def test_times_are_rough() -> None:
    minute = 60_000
    assert [rough(ms) for ms in (0, 59_400, 119_000, 120_000, 22 * minute)] == [
        *("0 s", "59 s", "119 s", "2 min", "22 min")
    ]
    assert [rough(ms * minute) for ms in (119, 120, 31 * 60, 72 * 60)] == [
        *("119 min", "2 h", "31 h", "3 d")
    ]
    assert time_left_text(2 * minute, 4 * minute) == "2–4 min left"
    assert time_left_text(90_000, 4 * minute) == "90 s–4 min left"
    assert time_left_text(0, 4 * minute) == "up to 4 min left"
    assert time_left_text(4 * minute, 4 * minute) == "about 4 min left"
