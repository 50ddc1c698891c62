"""What a run of a submission comes to, written only while the run still has the row."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from jobs.mirror import writer
from jobs.mirror.endings import fail_unsent
from jobs.models import EventSource, Job, JobEvent, Submission, SubmissionState
from jobs.sync.on_demand import request_sync_soon
from jobs.workqueue import leases
from jobs.workqueue.reconnect import retry_on_disconnect
from organizations.models import User
from providers.core.errors import ProviderError
from providers.core.types import RemoteJob
from providers.parsing.text import make_storable_id

# An outage is mostly over by then. A credential that was removed may be missing for days.
SEARCH_LIMIT = timedelta(hours=1)


def bind_remote_job(submission: Submission, remote: RemoteJob, observed_at: datetime) -> None:
    """Bind the provider's job to the row that was written before the request was sent."""
    job = submission.job
    # until it is written, only this process knows what the provider returned
    retry_on_disconnect(
        lambda: writer.apply(
            job.account,
            [replace(remote, key=submission.key)],
            source=EventSource.SUBMIT,
            observed_at=observed_at,
            actor=job.submitted_by or job.submitted_token,
        )
    )
    if Job.objects.filter(pk=job.pk, remote_id__isnull=True).exists():
        mark_unconfirmed(submission, "The provider returned an id that cannot be this job's.")
        return
    # even if another run has the row by now: how it ended is known
    Submission.objects.filter(pk=submission.pk).update(state=SubmissionState.DONE, note="")
    request_sync_soon(job.account)


def find_other_submission(submission: Submission, remote_id: str) -> Submission | None:
    """The other submission of the account that made the job `remote_id`, if one did."""
    others = Submission.objects.exclude(pk=submission.pk)
    return others.filter(
        job__account=submission.job.account_id, job__remote_id=make_storable_id(remote_id)
    ).first()


def was_known_before(submission: Submission, remote_id: str) -> bool:
    """Whether the mirror had the job `remote_id` before this submission was first sent."""
    known = Job.objects.filter(
        account=submission.job.account_id, remote_id=make_storable_id(remote_id)
    ).exclude(pk=submission.pk)
    return known.filter(first_seen_at__lt=submission.sent_at or submission.created_at).exists()


def set_state(
    submission: Submission, state: SubmissionState, *, wait_s: float = 0, note: str = ""
) -> bool:
    """Write what this run came to; False when another has the row by now."""
    next_at = timezone.now() + timedelta(seconds=wait_s)
    return bool(leases.held(submission).update(state=state, next_at=next_at, note=note[:500]))


def mark_refused(submission: Submission, error: ProviderError) -> None:
    """The provider does not accept it: the job has failed."""
    with transaction.atomic():
        # in the order that others lock in: a job before its submission
        Job.objects.select_for_update(no_key=True).only("pk").get(pk=submission.pk)
        if set_state(submission, SubmissionState.REFUSED, note=str(error)):
            fail_unsent(submission.job, error, source=EventSource.SUBMIT)


def mark_unconfirmed(submission: Submission, reason: str = "") -> None:
    """Leave the decision to a person."""
    note = "The provider may or may not have accepted it. Check there, then decide."
    note = f"{note} {reason}".strip()
    if set_state(submission, SubmissionState.UNCONFIRMED, note=note):
        record_event(submission.job, f"Unconfirmed: {note}")


def retry_later(submission: Submission, wait_s: float, note: str, *, failed: bool = False) -> None:
    """Make it due again after `wait_s`; what may have been sent, for SEARCH_LIMIT at the most."""
    if submission.state != SubmissionState.DUE and is_search_overdue(submission, timezone.now()):
        mark_unconfirmed(submission, f"The provider could not be searched: {note}")
        return
    leases.postpone(submission, wait_s, note, failures=F("failures") + int(failed))


def is_search_overdue(submission: Submission, now: datetime) -> bool:
    """Whether it has been searched for so long that a person should decide."""
    return now - (submission.sent_at or submission.created_at) >= SEARCH_LIMIT


def record_event(job: Job, message: str, user: User | None = None) -> None:
    JobEvent.build(job, EventSource.SUBMIT, job.status, job.status, message, user).save()
