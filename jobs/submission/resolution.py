"""A person's decision about a submission that could not be confirmed."""

from django.db import transaction
from django.utils import timezone

from jobs.accounts.interactive import ask
from jobs.models import Job, Submission, SubmissionState
from jobs.submission import idempotency
from jobs.submission.idempotency import CallerKey
from jobs.submission.outcome import bind_remote_job, find_other_submission, record_event
from jobs.submission.validation import SubmissionRefused
from jobs.workqueue.enqueue import enqueue_on_commit
from organizations.models import User
from providers.core.issues import RequestIssue


def send_again(job: Job, *, user: User, key: CallerKey | None = None) -> None:
    """The provider does not have it: send it again. Does nothing once it is confirmed."""
    unconfirmed = Submission.objects.filter(pk=job.pk, state=SubmissionState.UNCONFIRMED)
    with transaction.atomic():
        if unconfirmed.update(state=SubmissionState.DUE, next_at=timezone.now()):
            record_event(job, "Sending again: an operator did not find it at the provider", user)
            idempotency.store(job.organization, key, job)
            enqueue_on_commit("run_submission", job.pk)


def bind_found_job(job: Job, remote_id: str) -> None:
    """The provider has it, as `remote_id`. Does nothing once it is confirmed.

    Raises ProviderError when that job cannot be read, and SubmissionRefused when it is another
    submission's.
    """
    submission = Submission.objects.select_related("job__account").get(pk=job.pk)
    if submission.state != SubmissionState.UNCONFIRMED:
        return
    other = find_other_submission(submission, remote_id)
    if other is not None:
        raise SubmissionRefused(
            [RequestIssue("found_remote_id", "submitted_as_other_job", {"job": other.pk})]
        )
    observed_at = timezone.now()
    remote = ask(job.account, lambda adapter: adapter.get_job(remote_id))
    bind_remote_job(submission, remote, observed_at)
