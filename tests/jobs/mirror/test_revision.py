"""The account's revision: it moves with whatever changes a list or its counts, and never apart."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection

from jobs.mirror.attempts import confirm_attempt, fail_attempt, open_attempt
from jobs.mirror.endings import cancel_unsent, fail_unsent, mark_gone
from jobs.models import EventSource, Job, ProviderAccount
from jobs.submission.service import submit
from providers.core.errors import ProviderError
from providers.core.status import JobStatus
from providers.core.types import JobRequest, Rendition
from tests.jobs.answers import after, apply, failed, reported
from tests.jobs.factories import make_job

pytestmark = pytest.mark.django_db(transaction=True)


def _submit(account: ProviderAccount, **fields: Any) -> Job:
    request = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))
    return submit(organization=account.organization, account=account, request=request, **fields).job


def _discover(account: ProviderAccount) -> None:
    apply(account, reported("72"))


def _end(account: ProviderAccount) -> None:
    make_job(account, status=JobStatus.RUNNING, remote_id="72", observed_at=after(-60))
    apply(account, failed("72"))


def _vanish(account: ProviderAccount) -> None:
    job = make_job(account, status=JobStatus.RUNNING)
    assert mark_gone(account, job, source=EventSource.POLL, observed_at=after(60))


def _refuse(account: ProviderAccount) -> None:
    fail_unsent(
        make_job(account, remote_id=None, status=JobStatus.SUBMITTING),
        ProviderError("No."),
        source=EventSource.SUBMIT,
    )


def _cancel(account: ProviderAccount) -> None:
    cancel_unsent(make_job(account, remote_id=None, status=JobStatus.SUBMITTING), actor=None)


def _retry(account: ProviderAccount) -> None:
    _submit(account, retry_of=make_job(account, status=JobStatus.FAILED), allow_duplicate=True)


def _rerun(account: ProviderAccount) -> None:
    job = make_job(account, status=JobStatus.FAILED)
    open_attempt(job, source=EventSource.ACTION, actor=None)


def _confirm(account: ProviderAccount) -> None:
    job = make_job(account, status=JobStatus.FAILED)
    attempt = open_attempt(job, source=EventSource.ACTION, actor=None)
    confirm_attempt(attempt, source=EventSource.ACTION, actor=None)


def _fail(account: ProviderAccount) -> None:
    job = make_job(account, status=JobStatus.FAILED)
    attempt = open_attempt(job, source=EventSource.ACTION, actor=None)
    fail_attempt(attempt, ProviderError("No."), source=EventSource.ACTION, actor=None)


ACTS = [_submit, _discover, _end, _vanish, _refuse, _cancel, _retry, _rerun, _confirm, _fail]


@pytest.fixture
def apart() -> Iterator[list[str]]:
    """Updates of a job or a revision that were made outside of any transaction."""
    found = []

    def observe(execute: Callable[..., object], sql: str, *arguments: Any) -> object:
        is_revision = sql.startswith('UPDATE "jobs_provideraccount"') and '"revision"' in sql
        is_watched = is_revision or sql.startswith('UPDATE "jobs_job" ')
        if is_watched and not connection.in_atomic_block:
            found.append(sql)
        return execute(sql, *arguments)

    with connection.execute_wrapper(observe):
        yield found


@pytest.mark.parametrize("act", ACTS)
def test_what_changes_a_list_moves_the_revision_in_its_own_transaction(
    account: ProviderAccount, act: Callable[[ProviderAccount], object], apart: list[str]
) -> None:
    act(account)
    after_it = ProviderAccount.objects.get(pk=account.pk).revision
    assert after_it > account.revision
    job = Job.objects.latest("pk")
    assert job.status_revision == after_it or job.gone_at
    assert apart == []


def test_a_job_keeps_the_revision_of_when_it_was_first_seen(account: ProviderAccount) -> None:
    apply(account, reported(status=JobStatus.QUEUED))
    apply(account, reported("72"), at=1)
    apply(account, reported(), at=2)
    apply(account, reported(progress=30.0), at=3)
    marks = Job.objects.order_by("pk").values_list("first_seen_revision", "status_revision")
    assert list(marks) == [(1, 3), (2, 2)]
