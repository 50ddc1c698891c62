"""A submission's row and the provider's job become one, by our key, and only the right two."""

import time
from threading import Thread
from typing import Any

import pytest
from django.db import connection, connections, transaction

from jobs.mirror.endings import cancel_unsent, fail_unsent
from jobs.mirror.stored_rows import StoredRows
from jobs.models import EventSource, Job, MovedEnd, ProviderAccount, Submission
from jobs.submission.service import submit
from organizations.models import Organization
from providers.core.errors import Rejected
from providers.core.status import JobStatus
from providers.core.types import JobRequest, Rendition
from tests.jobs.answers import after, apply, failed, newest, reported
from tests.jobs.factories import make_account
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.django_db


def submitted(account: ProviderAccount, **fields: Any) -> Submission:
    request = JobRequest(
        "s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),), **fields
    )
    job = submit(
        organization=account.organization, account=account, request=request, allow_duplicate=True
    ).job
    return Submission.objects.get(pk=job.pk)


def test_the_list_binds_the_job_by_its_key(account: ProviderAccount) -> None:
    submission = submitted(account, metadata={"reel": 9})
    applied = apply(account, reported(key=submission.key, metadata={"reel": 9}))
    job = Job.objects.get()
    assert (job.pk, job.remote_id, job.status) == (submission.pk, "71", "running")
    assert applied.changed == [job.pk]
    assert list(job.events.order_by("pk").values_list("from_status", "to_status")) == [
        ("", "submitting"),
        ("submitting", "running"),
    ]
    assert not apply(account, reported(key=submission.key, metadata={"reel": 9}), at=5).is_news


def test_another_job_with_the_same_key_is_a_job_of_its_own(account: ProviderAccount) -> None:
    submission = submitted(account)
    apply(account, reported("71", key=submission.key))
    apply(account, reported("72", key=submission.key), at=5)
    assert newest(account, "71").pk == submission.pk
    assert newest(account, "72").pk != submission.pk


def test_of_two_with_the_key_on_one_page_the_older_is_ours(account: ProviderAccount) -> None:
    submission = submitted(account)
    apply(account, reported("72", key=submission.key), reported("71", key=submission.key))
    assert newest(account, "71").pk == submission.pk
    assert Job.objects.count() == 2


def test_a_key_opens_nothing_in_another_account(
    account: ProviderAccount, organization: Organization
) -> None:
    submission = submitted(account)
    other = make_account(organization)
    apply(other, reported(key=submission.key))
    assert newest(other).pk != submission.pk
    assert Job.objects.get(pk=submission.pk).remote_id is None


def test_the_submission_takes_over_a_row_that_the_list_made_first(
    account: ProviderAccount,
) -> None:
    submission = submitted(account)
    apply(account, reported())  # a list that does not carry keys
    double = newest(account)
    apply(account, reported(key=submission.key), at=5)
    job = Job.objects.get()
    assert job.pk == submission.pk != double.pk
    assert (job.remote_id, job.status, job.outputs.count()) == ("71", "running", 2)
    assert job.poll
    assert job.events.filter(source=EventSource.POLL).exists()


def test_when_a_row_that_was_taken_over_ended_is_noted(account: ProviderAccount) -> None:
    submission = submitted(account)
    apply(account, failed(finished_at=after(42)))
    apply(account, failed(finished_at=after(42), key=submission.key), at=5)
    assert Job.objects.get().pk == submission.pk
    assert [row.at for row in MovedEnd.objects.all()] == [after(42)]


def test_the_row_of_another_submission_stays_its_own(account: ProviderAccount) -> None:
    first, second = submitted(account), submitted(account)
    apply(account, reported(key=first.key))
    apply(account, reported(key=second.key), at=5)
    assert newest(account).pk == first.pk
    assert Job.objects.get(pk=second.pk).remote_id is None


def test_a_job_that_was_refused_but_runs_shows_that_it_runs(account: ProviderAccount) -> None:
    submission = submitted(account)
    fail_unsent(submission.job, Rejected("Not like this.", code="422"), source=EventSource.SUBMIT)
    job = Job.objects.get()
    error = (job.error_class, job.error_code, job.error_message)
    assert error == ("settings.invalid", "422", "Not like this.")
    apply(account, reported(key=submission.key))
    job = Job.objects.get()
    assert (job.status, job.error_class, job.errors) == (JobStatus.RUNNING, "", [])


def test_a_found_job_is_no_longer_ended_as_unsent(account: ProviderAccount) -> None:
    submission = submitted(account)
    apply(account, reported(key=submission.key))
    cancel_unsent(submission.job, actor=None)
    fail_unsent(submission.job, Rejected("Late."), source=EventSource.SUBMIT)
    assert Job.objects.get().status == JobStatus.RUNNING


def count_waiting() -> int:
    """How many wait for a lock in this database."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_stat_clear_snapshot()")
        cursor.execute(
            "select count(*) from pg_stat_activity"
            " where datname = current_database() and wait_event_type = 'Lock'"
        )
        return int(cursor.fetchone()[0])


@pytest.mark.postgres  # on SQLite nobody reads while another writes
@pytest.mark.django_db(transaction=True)
def test_a_job_that_is_bound_while_a_list_is_applied_is_not_taken_for_a_new_one(
    account: ProviderAccount,
) -> None:
    """Else each that is bound meanwhile has the list applied again, and many have it fail."""
    submission = submitted(account)
    loaded: list[StoredRows] = []

    def load() -> None:
        with transaction.atomic():
            loaded.append(StoredRows.load(account, [reported("71", key=submission.key)]))
        connections.close_all()

    reader = Thread(target=load)
    with transaction.atomic():
        Job.objects.filter(pk=submission.pk).update(remote_id="71")
        reader.start()
        while reader.is_alive() and not count_waiting():
            time.sleep(0.01)
    reader.join(PATIENCE_S)

    assert [row.pk for row in loaded[0].jobs.values()] == [submission.pk]
    assert loaded[0].submitted == {}
