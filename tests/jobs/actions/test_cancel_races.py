"""Two who cancel one job at once are answered as one after the other would be."""

from threading import Barrier

import pytest

from jobs.actions.cancellation import AlreadyCancelled, request_cancel
from jobs.actions.offers import ActionRefused
from jobs.actions.worker import run_action
from jobs.models import ActionState, Job, JobAction, ProviderAccount
from jobs.submission.service import submit
from organizations.models import AuditEntry
from providers.core.types import JobRequest, Rendition
from tests.jobs.factories import make_job
from tests.jobs.fake_zencoder import FakeZencoder
from tests.threads import together
from tests.waiting import PATIENCE_S

CALLERS = 4


def ask_all_at_once(job: Job) -> tuple[list[JobAction], list[str]]:
    """What the callers, each of which has read `job` by now, get: actions, and refusals."""
    actions: list[JobAction] = []
    refusals: list[str] = []

    def ask() -> None:
        own = Job.objects.select_related("account", "organization").get(pk=job.pk)
        everybody_has_read.wait(PATIENCE_S)
        try:
            actions.append(request_cancel(own))
        except ActionRefused as refusal:
            refusals.append(str(refusal))

    everybody_has_read = Barrier(CALLERS)
    together(*[ask] * CALLERS)
    return actions, refusals


@pytest.mark.django_db(transaction=True)
def test_at_once_a_cancel_is_asked_for_once(account: ProviderAccount) -> None:
    job = make_job(account, status="running")
    actions, refusals = ask_all_at_once(job)
    assert ({action.pk for action in actions}, refusals) == ({JobAction.objects.get().pk}, [])
    assert job.events.filter(message="Cancel requested").count() == 1
    assert AuditEntry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_at_once_an_unsent_submission_is_cancelled_once(account: ProviderAccount) -> None:
    request = JobRequest("s3://rushes/harbour.mov", renditions=(Rendition("mp4", (360,)),))
    job = submit(organization=account.organization, account=account, request=request).job
    actions, refusals = ask_all_at_once(job)
    assert [action.state for action in actions] == [ActionState.DONE]
    with pytest.raises(ActionRefused) as caught:
        request_cancel(Job.objects.get(pk=job.pk))
    assert refusals == [str(caught.value)] * (CALLERS - 1)
    assert JobAction.objects.count() == 1


@pytest.mark.django_db
def test_who_read_the_job_before_it_was_cancelled_is_refused_like_who_reads_it_after(
    account: ProviderAccount, zencoder: FakeZencoder
) -> None:
    zencoder.add(71, "processing")
    read_before = make_job(account, remote_id="71", status="running")
    run_action(request_cancel(Job.objects.get(pk=read_before.pk)).pk)
    with pytest.raises(AlreadyCancelled):
        request_cancel(read_before)
    assert JobAction.objects.count() == 1
