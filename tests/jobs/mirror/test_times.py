"""When a job ended and what it sorts by, whatever the provider says of its times."""

from datetime import timedelta
from typing import Any

import pytest
from django.http import QueryDict
from django.utils import timezone

from jobs.mirror import writer
from jobs.mirror.attempts import open_attempt
from jobs.mirror.endings import cancel_unsent, fail_unsent, mark_gone
from jobs.models import EventSource, Job, MovedEnd, ProviderAccount
from jobs.query.jobs import JobFilter
from jobs.query.paging.keyset import page
from jobs.query.visibility import Visibility
from providers.core.errors import Rejected
from providers.core.status import JobStatus
from providers.parsing.clock import CLOCK_SKEW
from tests.jobs.answers import after, apply, failed, newest, output, reported
from tests.jobs.factories import NOON, make_job

ENDED = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)


def end(job: Job) -> tuple[Any, str]:
    return job.ended_at, job.ended_at_source


def finished_since(account: ProviderAccount, at: Any) -> set[str | None]:
    filters = JobFilter.parse(
        {"finished_after": [at.isoformat()]}, Visibility(account.organization)
    )
    return set(filters.apply(Job.objects.all()).values_list("remote_id", flat=True))


@pytest.mark.parametrize("status", ENDED)
@pytest.mark.parametrize(
    ("before", "times", "expected"),
    [
        (JobStatus.RUNNING, {"finished_at": after(30)}, (after(30), "provider")),
        (JobStatus.RUNNING, {"finished_at": None}, (after(60), "observed")),
        (JobStatus.QUEUED, {"finished_at": None}, (after(60), "observed")),
        (JobStatus.UNKNOWN, {"finished_at": None}, (after(60), "observed")),
        (None, {"finished_at": after(30)}, (after(30), "provider")),
        (None, {"finished_at": None, "started_at": after(9)}, (after(9), "estimated")),
        (None, {"finished_at": None}, (NOON, "estimated")),
    ],
)
def test_the_end_is_the_providers_else_observed_else_estimated(
    account: ProviderAccount,
    status: JobStatus,
    before: JobStatus | None,
    times: dict[str, Any],
    expected: tuple[Any, str],
) -> None:
    if before:
        apply(account, reported(status=before))
        assert end(newest(account)) == (None, "")
    apply(account, reported(status=status, **times), at=60)
    assert end(newest(account)) == expected
    # what comes later moves neither
    apply(account, reported(status=status, name="renamed.mov", **times), at=600)
    assert end(newest(account)) == expected


def test_an_end_that_is_reported_late_replaces_the_one_we_saw(account: ProviderAccount) -> None:
    apply(account, reported())
    apply(account, failed(finished_at=None), at=60)
    apply(account, failed(finished_at=after(42)), at=90)
    job = newest(account)
    assert end(job) == (after(42), "provider")
    assert job.observed_finished_at == after(60)


def test_a_job_without_any_time_ended_when_we_first_saw_it(account: ProviderAccount) -> None:
    apply(account, failed(created_at=None, finished_at=None))
    job = newest(account)
    assert end(job) == (job.first_seen_at, "estimated")


def test_what_no_longer_ended_when_it_did_is_noted(account: ProviderAccount) -> None:
    apply(account, reported())
    apply(account, failed(finished_at=None), at=60)
    assert not MovedEnd.objects.exists()
    apply(account, failed(finished_at=after(42)), at=90)
    apply(account, failed(finished_at=after(42), name="renamed.mov"), at=120)
    noted = MovedEnd.objects.values_list("organization", "at")
    assert list(noted) == [(account.organization_id, after(60))]


def test_an_import_puts_no_old_failure_into_today(account: ProviderAccount) -> None:
    now = timezone.now()
    old = failed("1", finished_at=None, created_at=now - timedelta(days=200))
    fresh = reported("2", created_at=now - timedelta(days=9))
    apply(account, old, fresh)
    writer.apply(account, [failed("2", finished_at=None)], source=EventSource.POLL, observed_at=now)
    assert finished_since(account, now - timedelta(days=1)) == {"2"}


def test_what_we_end_ourselves_ended_when_we_did_it(account: ProviderAccount) -> None:
    refused, cancelled = (make_job(account, status="submitting", remote_id=None) for _ in "ab")
    vanished = make_job(account, status="queued")
    before = timezone.now()
    fail_unsent(refused, Rejected("No."), source=EventSource.SUBMIT)
    cancel_unsent(cancelled, actor=None)
    mark_gone(account, vanished, source=EventSource.ACTION, observed_at=before, took_cancel=True)
    for job in (refused, cancelled, vanished):
        job.refresh_from_db()
        assert job.ended_at is not None
        assert job.ended_at >= before
        assert job.ended_at_source == "observed"


def test_a_job_that_is_gone_while_it_ran_has_no_end(account: ProviderAccount) -> None:
    apply(account, reported())
    mark_gone(account, newest(account), source=EventSource.POLL, observed_at=after(60))
    assert end(newest(account)) == (None, "")


def test_a_frozen_attempt_keeps_its_end_and_the_next_one_gets_its_own(
    account: ProviderAccount,
) -> None:
    apply(account, failed(finished_at=after(50)), at=60)
    apply(account, reported(updated_at=after(100)), at=120)
    apply(account, failed(finished_at=None, updated_at=after(100)), at=180)
    first, second = Job.objects.order_by("attempt")
    assert end(first) == (after(50), "provider")
    assert end(second) == (after(180), "observed")


# A provider whose clock, or zone, is ahead of ours


@pytest.mark.parametrize("ahead", [timedelta(minutes=5), timedelta(hours=5.5), timedelta(days=900)])
def test_a_clock_ahead_decides_neither_order_nor_end(
    account: ProviderAccount, ahead: timedelta
) -> None:
    now = timezone.now()
    wrong = {"created_at": now + ahead, "finished_at": now + ahead}
    running = reported("1", created_at=now + ahead, started_at=now + ahead)
    writer.apply(account, [running, failed("2", **wrong)], source=EventSource.POLL, observed_at=now)
    writer.apply(account, [failed("1", **wrong)], source=EventSource.POLL, observed_at=now)
    seen, imported = (newest(account, number) for number in "12")
    for job in (seen, imported):
        assert job.created_at == now + ahead  # what the provider says is kept
        assert job.sort_at == job.first_seen_at
        assert [one.sort_at for one in job.outputs.all()] == [job.first_seen_at] * 2
    assert (seen.started_at, seen.sort_started_at) == (now + ahead, seen.first_seen_at)
    assert end(seen) == (now, "observed")
    assert end(imported) == (imported.first_seen_at, "estimated")


def test_a_job_created_ahead_does_not_move_when_its_time_has_come(
    account: ProviderAccount, time_machine: Any
) -> None:
    wrong = timezone.now() + timedelta(hours=5)
    apply(account, reported(created_at=wrong, started_at=wrong))
    first_seen_at = newest(account).first_seen_at
    time_machine.move_to(wrong + timedelta(hours=1))
    apply(account, reported(created_at=wrong, started_at=wrong, progress=40.0), at=60)
    job = newest(account)
    assert (job.sort_at, job.sort_started_at) == (first_seen_at, first_seen_at)


@pytest.mark.parametrize("order", ["", "&sort=-started"])
def test_a_start_ahead_is_not_pinned_to_the_top_of_what_runs(
    account: ProviderAccount, order: str
) -> None:
    now = timezone.now()
    wrong = reported("1", started_at=now + timedelta(hours=5))
    writer.apply(account, [wrong], source=EventSource.POLL, observed_at=now)
    right = reported("2", started_at=timezone.now())
    writer.apply(account, [right], source=EventSource.POLL, observed_at=now)
    filters = JobFilter.parse(QueryDict(f"status=running{order}"), Visibility(account.organization))
    found = page(filters.apply(Job.objects.all()), filters.ordering, 10)
    assert [job.remote_id for job in found.rows] == ["2", "1"]


def test_a_clock_that_is_a_little_ahead_is_accepted(account: ProviderAccount) -> None:
    created_at = timezone.now() + CLOCK_SKEW / 2
    apply(account, reported(created_at=created_at))
    assert newest(account).sort_at == created_at


# What counts as a change


def test_a_retry_that_is_asked_for_changes_nothing_about_the_failed_job(
    account: ProviderAccount,
) -> None:
    apply(account, failed())
    job = newest(account)
    open_attempt(job, source=EventSource.ACTION, actor=None)
    before, job = job, Job.objects.get(pk=job.pk)
    assert (job.is_newest, job.changed_at) == (False, before.changed_at)
    assert job.version > before.version  # its page says that there is a later attempt


def test_a_new_signature_alone_is_no_change_of_the_job(account: ProviderAccount) -> None:
    def signed(signature: str) -> Any:
        url, secret = (
            "https://cdn.example/a.mp4?sig=REDACTED",
            f"https://cdn.example/a.mp4?{signature}",
        )
        raw = {"id": "71", "seen": signature}
        return reported(outputs=(output("a", url=url, secret_url=secret), output("b")), raw=raw)

    apply(account, signed("sig=1"))
    before = newest(account)
    apply(account, signed("sig=2"), at=60)
    job = newest(account)
    assert job.changed_at == before.changed_at
    assert job.outputs.get(remote_id="a").opens_at.endswith("sig=2")
