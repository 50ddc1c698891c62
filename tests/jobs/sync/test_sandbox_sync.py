"""From end to end over real sockets: syncing with the sandbox, whose jobs the clock moves."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from jobs.actions.cancellation import request_cancel
from jobs.actions.resubmission import request_resubmit
from jobs.actions.worker import run_action
from jobs.models import Job, JobAction, ProviderAccount, Submission
from jobs.submission.service import submit
from jobs.submission.worker import run_submission
from jobs.sync.report import Report
from jobs.sync.runner import sync_account
from organizations.models import Organization
from providers.core.types import JobRequest, Rendition
from sandbox.server import RunningSandbox, start
from tests.jobs.factories import end_pauses, make_account
from tests.waiting import PATIENCE_S

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module")
def sandbox() -> Iterator[RunningSandbox]:
    with start(encode=False, rate_limit=0, time_scale=20) as running:
        yield running


def connect(organization: Organization, sandbox: RunningSandbox) -> ProviderAccount:
    return make_account(
        organization,
        base_url=sandbox.api_url("zencoder"),
        credentials={"api_key": sandbox.keys["zencoder_api_key"]},
        options={"requests_per_minute": "1000000"},
        imported_at=None,
        last_pass_at=None,
    )


@pytest.fixture
def board(organization: Organization, sandbox: RunningSandbox) -> Iterator[ProviderAccount]:
    yield connect(organization, sandbox)
    sandbox.clear_faults()
    sandbox.set_time_scale(20)


def run(account: ProviderAccount) -> Report:
    report = sync_account(account.pk, foreground=True)
    assert report is not None
    assert report.ok, report.error
    return report


def wait(account: ProviderAccount, job: Job, is_there: Callable[[Job], bool]) -> Job:
    give_up_at = time.monotonic() + PATIENCE_S
    while time.monotonic() < give_up_at:
        run(account)
        found = Job.objects.get(account=account, remote_id=job.remote_id, is_newest=True)
        if is_there(found):
            return found
        time.sleep(0.1)
    raise AssertionError(f"{job} stayed {found.status}")


def send(account: ProviderAccount, sandbox: RunningSandbox, name: str) -> Job:
    request = JobRequest(
        input=sandbox.input_url(name), renditions=(Rendition("mp4", (240, 360)),), metadata="ours"
    )
    job = submit(organization=account.organization, account=account, request=request).job
    run_submission(job.pk)
    job.refresh_from_db()
    return job


def on_the_other_side(account: ProviderAccount, job: Job) -> int:
    """How many jobs there carry the submission's key: read past our own mirror."""
    with_key = Submission.objects.get(pk=job.pk).key
    run(account)
    return Job.objects.filter(account=account, submission__key=with_key).count() + (
        Job.objects.filter(account=account, submission=None, input_url=job.input_url).count()
    )


def test_a_job_is_submitted_runs_and_succeeds(
    board: ProviderAccount, sandbox: RunningSandbox
) -> None:
    job = send(board, sandbox, "good.mp4")
    assert job.status == "queued"
    ended = wait(board, job, lambda job: job.is_terminal)
    assert (ended.pk, ended.status, ended.progress) == (job.pk, "succeeded", 100.0)
    assert (ended.metadata, ended.outputs_succeeded, ended.is_suspect) == ("ours", 2, False)
    assert ended.finished_at
    assert ended.outputs.filter(width__gt=0, size_bytes__gt=0).count() == 2


def test_a_job_with_a_bad_source_fails_with_its_reason(
    board: ProviderAccount, sandbox: RunningSandbox
) -> None:
    job = wait(board, send(board, sandbox, "corrupt.mp4"), lambda job: job.is_terminal)
    assert (job.status, job.error_class) == ("failed", "input.corrupt")


def test_progress_and_a_cancel(board: ProviderAccount, sandbox: RunningSandbox) -> None:
    sandbox.set_time_scale(4)
    job = send(board, sandbox, "good.mp4")
    job = wait(board, job, lambda job: job.status == "running" and job.progress is not None)
    action = request_cancel(job)
    run_action(action.pk)
    job.refresh_from_db()
    assert job.status == "cancelled"


def test_a_failed_job_is_run_again_as_the_next_attempt(
    board: ProviderAccount, sandbox: RunningSandbox
) -> None:
    first = wait(board, send(board, sandbox, "missing.mp4"), lambda job: job.is_terminal)
    time.sleep(1)  # the provider's times are whole seconds
    second = request_resubmit(first).job
    run_action(JobAction.objects.get(job=second).pk)
    second = wait(board, first, lambda job: job.attempt == 2 and job.is_terminal)
    first.refresh_from_db()
    assert (first.status, first.is_newest, second.status) == ("failed", False, "failed")
    assert second.retry_of == first


def test_an_answer_lost_on_the_way_leaves_one_job_on_each_side(
    board: ProviderAccount, sandbox: RunningSandbox
) -> None:
    sandbox.set_faults({"drop_after": {"times": 1, "method": "POST", "path": "/jobs"}})
    job = send(board, sandbox, "good.mp4?lost=1")
    assert (job.status, job.remote_id) == ("submitting", None)
    Submission.objects.update(next_at=timezone.now())
    end_pauses()
    run_submission(job.pk)
    job.refresh_from_db()
    assert job.remote_id
    assert on_the_other_side(board, job) == 1
    creations = sandbox.state()["requests"]["by_path"]["POST /zencoder/api/v2/jobs"]
    assert creations >= 1


def test_a_dropped_request_is_sent_again_only_after_proof(
    board: ProviderAccount, sandbox: RunningSandbox
) -> None:
    sandbox.set_faults({"drop": {"times": 1, "method": "POST", "path": "/jobs"}})
    job = send(board, sandbox, "good.mp4?dropped=1")
    for back_s in (0, 61, 0):
        submission = Submission.objects.get(pk=job.pk)
        if submission.first_empty_lookup_at and back_s:
            submission.first_empty_lookup_at -= timedelta(seconds=back_s)
        submission.next_at = timezone.now()
        submission.save()
        end_pauses()
        run_submission(job.pk)
    job.refresh_from_db()
    assert job.remote_id
    assert on_the_other_side(board, job) == 1


def test_five_hundred_jobs_are_imported_once(organization: Organization) -> None:
    with start(encode=False, rate_limit=0, seed_jobs=500, time_scale=0) as full:
        account = connect(organization, full)
        report = run(account)
        # 11 pages, and the one before each of the 10 turns again: the list does not report its
        # length
        assert (report.created, report.requests) == (500, 21)
        assert not Job.objects.filter(status="failed", error_class="").exists()
        again = run(account)
        assert (again.created, again.changed) == (0, 0)
        assert again.requests <= 2
