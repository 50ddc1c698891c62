"""An unchanged payload is recognized, whichever call it came from and whatever read it before."""

from dataclasses import replace

import pytest
from pytest_django import DjangoAssertNumQueries

from jobs.mirror.payload import Shape
from jobs.models import Job, ProviderAccount
from providers.core.status import JobStatus
from providers.core.types import RemoteJob
from tests.jobs.answers import after, apply, newest, output, reported
from tests.jobs.written_rows import written_rows

pytestmark = pytest.mark.django_db

DETAIL = reported(status=JobStatus.SUCCEEDED, metadata={"reel": 4}, raw={"id": "71", "reel": 4})
LISTED = replace(DETAIL, metadata=None, raw={"id": "71"})


def test_a_list_and_details_that_alternate_write_nothing_more_once_both_were_compared(
    account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    apply(account, LISTED, shape=Shape.LIST)
    apply(account, DETAIL, shape=Shape.DETAIL, at=10)  # which adds the metadata
    before = newest(account)
    with written_rows() as rows:
        apply(account, LISTED, shape=Shape.LIST, at=20)
    assert rows == {"jobs_job": 1, "jobs_jobbody": 1}
    with django_assert_num_queries(3), written_rows() as rows:
        apply(account, DETAIL, shape=Shape.DETAIL, at=30)
        apply(account, LISTED, shape=Shape.LIST, at=40)
        apply(account, DETAIL, shape=Shape.DETAIL, at=50)
    assert rows == {}
    job = newest(account)
    assert (job.version, job.changed_at) == (before.version, before.changed_at)


def test_progress_that_moves_has_no_list_compared_again(
    account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """As of each running job in each pass: the list leaves out what is read after it."""
    listed = reported()
    for step in range(1, 4):
        at = 10 * step
        with written_rows() as rows:
            apply(account, listed, shape=Shape.LIST, at=at)
        assert step == 1 or rows == {"jobs_jobpoll": 1}
        running = output("b", status=listed.outputs[1].status, progress=20.0 * step)
        progress = replace(
            listed, progress=20.0 * step, phase="Encoding", outputs=(listed.outputs[0], running)
        )
        apply(account, progress, shape=Shape.PROGRESS, at=at + 1)
        assert newest(account).progress == 20.0 * step
    with django_assert_num_queries(2):
        apply(account, listed, shape=Shape.LIST, at=90)


@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.RUNNING])
def test_the_digest_of_an_earlier_version_of_the_code_is_replaced_by_one_narrow_write(
    account: ProviderAccount, django_assert_num_queries: DjangoAssertNumQueries, status: JobStatus
) -> None:
    answer = reported(status=status)
    apply(account, answer)
    before = newest(account)
    Job.objects.update(digests=dict.fromkeys(Shape, "of-other-code"))
    confirmed = {} if status.is_terminal else {"jobs_jobpoll": 1}
    with written_rows() as rows:
        assert not apply(account, answer, at=10).is_news
    assert rows == {"jobs_job": 1, **confirmed}
    with written_rows() as rows, django_assert_num_queries(1 + len(confirmed)):
        apply(account, answer, at=20)
    assert rows == confirmed
    job = newest(account)
    assert (job.version, job.changed_at) == (before.version, before.changed_at)


def test_what_another_shape_changed_is_compared_again(account: ProviderAccount) -> None:
    """Else a list that reverts a change would be ignored for ever."""

    def named(name: str) -> RemoteJob:
        return replace(LISTED, name=name)

    apply(account, named("one.mov"), shape=Shape.LIST)
    apply(account, named("two.mov"), shape=Shape.DETAIL, at=10)
    apply(account, named("one.mov"), shape=Shape.LIST, at=20)
    assert newest(account).name == "one.mov"


def test_an_answer_of_no_known_shape_is_always_compared(account: ProviderAccount) -> None:
    apply(account, DETAIL, shape=None)
    Job.objects.update(name="lost.mov")
    apply(account, DETAIL, shape=None, at=10)
    assert newest(account).name == DETAIL.name
    assert newest(account).observed_at == after(10)
