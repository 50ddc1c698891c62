"""A person's answer where nobody knows whether the provider took a submission."""

from django.db import transaction
from django.utils import timezone

from jobs.accounts.clients import open_provider
from jobs.models import Job, Submission, SubmissionState
from jobs.submission import idempotency
from jobs.submission.idempotency import CallerKey
from jobs.submission.outcome import bind_remote_job, find_owner, record_event
from jobs.submission.validation import SubmissionRefused
from jobs.workqueue.enqueue import hint
from organizations.models import User
from providers.core.issues import RequestIssue

# A person waits for this one, and a thread of the web server with them.
DEADLINE_S = 20.0


def send_again(job: Job, *, user: User, key: CallerKey | None = None) -> None:
    """It is not there: send it again. Does nothing once it is known what became of it."""
    unsure = Submission.objects.filter(pk=job.pk, state=SubmissionState.UNSURE)
    with transaction.atomic():
        if unsure.update(state=SubmissionState.DUE, next_at=timezone.now()):
            record_event(job, "Send it again: decided by a person", user)
            idempotency.store(job.organization, key, job)
            hint("run_submission", job.pk)


def bind_found_job(job: Job, remote_id: str) -> None:
    """It is there, as `remote_id`. Does nothing once it is known what became of it.

    Raises ProviderError when that job cannot be read, and SubmissionRefused when it is another
    submission's.
    """
    submission = Submission.objects.select_related("job__account").get(pk=job.pk)
    if submission.state != SubmissionState.UNSURE:
        return
    other = find_owner(submission, remote_id)
    if other is not None:
        raise SubmissionRefused(
            [RequestIssue("found_remote_id", "submitted_as_other_job", {"job": other.pk})]
        )
    observed_at = timezone.now()
    with open_provider(job.account, deadline_s=DEADLINE_S) as adapter:
        remote = adapter.get_job(remote_id)
    bind_remote_job(submission, remote, observed_at)
