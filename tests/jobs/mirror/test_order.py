"""Whatever order answers arrive in, and however many workers bring them."""

from collections.abc import Callable
from threading import Thread

import pytest
from django.db import connection, connections, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.mirror.attempts import open_attempt
from jobs.models import (
    EventSource,
    Job,
    JobPoll,
    Output,
    ProviderAccount,
    Submission,
    SubmissionState,
)
from jobs.submission.service import submit
from jobs.submission.worker import run_submission
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import JobRequest, RemoteJob, Rendition
from tests.jobs.answers import after, apply, newest, output, reported
from tests.jobs.factories import make_job
from tests.jobs.fake_zencoder import FakeZencoder
from tests.threads import together
from tests.waiting import PATIENCE_S

LIFE = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.SUCCEEDED)


def life(moments: list[int]) -> list[tuple[int, RemoteJob]]:
    """One job's answers over time: it never steps back, and ends once."""
    answers = []
    for at, moment in enumerate(sorted(moments)):
        status = LIFE[moment // 10]
        part = OutputStatus.SUCCEEDED if status.is_terminal else OutputStatus.RUNNING
        progress = float(moment) if status is JobStatus.RUNNING else None
        outputs = (output("a", part), output("b", OutputStatus.SUCCEEDED))
        answers.append((at, reported(status=status, progress=progress, outputs=outputs)))
    return answers


@pytest.mark.django_db
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), moments=st.lists(st.integers(0, 29), min_size=2, max_size=6))
def test_any_order_of_a_jobs_answers_ends_in_the_newest_state(
    account: ProviderAccount, data: st.DataObject, moments: list[int]
) -> None:
    Job.objects.all().delete()
    answers = life(moments)
    last = answers[-1][1]
    for at, remote in data.draw(st.permutations(answers)):
        apply(account, remote, at=at)
    job = Job.objects.get()
    assert job.status == last.status
    assert job.outputs.get(remote_id="a").status == last.outputs[0].status
    assert JobPoll.objects.exists() is not job.is_terminal
    if last.status is JobStatus.RUNNING:
        assert job.progress == last.progress


@pytest.mark.django_db(transaction=True)
def test_workers_that_bring_the_same_new_jobs_make_each_once(account: ProviderAccount) -> None:
    jobs = [reported(str(number)) for number in range(60)]

    def work(remotes: list[RemoteJob]) -> Callable[[], object]:
        return lambda: apply(account, *remotes)

    together(work(jobs), work(jobs[::-1]), work(jobs[::2] + jobs[1::2]))
    assert Job.objects.count() == JobPoll.objects.count() == 60
    assert Output.objects.count() == 120
    account.refresh_from_db()
    assert account.revision >= 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_ends_in_a_deadlock_compares_again(account: ProviderAccount) -> None:
    """It has inserted one job and waits for the other; we hold that, and insert the one."""
    faults: list[BaseException] = []

    def bring_both() -> None:
        try:
            apply(account, reported("2"), reported("1"))
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    worker = Thread(target=bring_both)
    with transaction.atomic():
        make_job(account, remote_id="2")
        worker.start()
        worker.join(0.4)
        make_job(account, remote_id="1")
    worker.join(PATIENCE_S)
    assert faults == []
    assert Job.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_two_workers_that_see_a_job_run_again_open_one_attempt(account: ProviderAccount) -> None:
    apply(account, reported(status=JobStatus.CANCELLED), at=300)
    job = newest(account)
    together(
        lambda: open_attempt(job, source=EventSource.ACTION, actor=None),
        lambda: apply(account, reported(updated_at=after(900)), at=910),
        lambda: apply(account, reported(updated_at=after(900)), at=911),
    )
    assert list(Job.objects.order_by("attempt").values_list("attempt", "is_newest")) == [
        (1, False),
        (2, True),
    ]


@pytest.fixture
def submission(account: ProviderAccount, zencoder: FakeZencoder) -> Submission:
    request = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))
    job = submit(organization=account.organization, account=account, request=request).job
    return Submission.objects.get(pk=job.pk)


@pytest.mark.django_db(transaction=True)
def test_workers_that_meet_at_a_submission_send_it_once(
    submission: Submission, zencoder: FakeZencoder
) -> None:
    together(*[lambda: run_submission(submission.pk)] * 4)
    assert zencoder.asked["create"] == 1


@pytest.mark.django_db(transaction=True)
def test_a_claim_that_waited_for_another_gets_nothing(
    submission: Submission, zencoder: FakeZencoder
) -> None:
    """The UPDATE of the second began before the first committed."""
    late = Thread(target=together, args=[lambda: run_submission(submission.pk)])
    with transaction.atomic():
        Submission.objects.filter(pk=submission.pk).update(
            leased_until=after(10**8), state=SubmissionState.SENDING
        )
        late.start()
        late.join(1)
        assert late.is_alive(), f"nothing to wait for on {connection.vendor}"
    late.join(PATIENCE_S)
    assert zencoder.asked == {}
