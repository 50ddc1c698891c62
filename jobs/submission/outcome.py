"""What a run of a submission comes to, written only while the run still has the row."""

from dataclasses import replace
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from jobs.mirror import writer
from jobs.mirror.endings import fail_unsent
from jobs.models import EventSource, Job, JobEvent, Submission, SubmissionState
from jobs.sync.request import request_sync_soon
from jobs.workqueue import leases
from jobs.workqueue.reconnect import insist
from organizations.models import User
from providers.core.errors import ProviderError
from providers.core.types import RemoteJob
from providers.parsing.text import make_storable_id

# An outage is mostly over by then. A key that was taken away may be missing for days.
LOOK_FOR = timedelta(hours=1)
RETRY_S = 10


def bind_remote_job(submission: Submission, remote: RemoteJob, observed_at: datetime) -> None:
    """Bind the provider's answer to the row that was written before the call."""
    job = submission.job
    # what the provider answered is in this process alone until it is written
    insist(
        lambda: writer.apply(
            job.account,
            [replace(remote, key=submission.key)],
            source=EventSource.SUBMIT,
            observed_at=observed_at,
            actor=job.submitted_by,
        )
    )
    if Job.objects.filter(pk=job.pk, remote_id__isnull=True).exists():
        give_up(submission, "It answered with an id that cannot be this job's.")
        return
    # whoever holds the row by now: what became of it is known
    Submission.objects.filter(pk=submission.pk).update(state=SubmissionState.DONE, note="")
    request_sync_soon(job.account)


def find_owner(submission: Submission, remote_id: str) -> Submission | None:
    """The other submission of the account that made the job `remote_id`, if one did."""
    others = Submission.objects.exclude(pk=submission.pk)
    return others.filter(
        job__account=submission.job.account_id, job__remote_id=make_storable_id(remote_id)
    ).first()


def settle(
    submission: Submission, state: SubmissionState, *, wait_s: float = 0, note: str = ""
) -> bool:
    """Write what this run came to; False when another holds the row by now."""
    next_at = timezone.now() + timedelta(seconds=wait_s)
    return bool(leases.held(submission).update(state=state, next_at=next_at, note=note[:500]))


def refuse(submission: Submission, error: ProviderError) -> None:
    """The provider does not take it: the job has failed."""
    with transaction.atomic():
        # in the order that others lock in: a job before its submission
        Job.objects.select_for_update(no_key=True).only("pk").get(pk=submission.pk)
        if settle(submission, SubmissionState.REFUSED, note=str(error)):
            fail_unsent(submission.job, error, source=EventSource.SUBMIT)


def give_up(submission: Submission, reason: str = "") -> None:
    """Leave the decision to a person."""
    note = "We don't know whether the provider took it. Check there, then decide."
    if settle(submission, SubmissionState.UNSURE, note=f"{note} {reason}".strip()):
        message = "We don't know whether the provider took it: check there, then decide"
        record_event(submission.job, f"{message}. {reason}" if reason else message)


def retry_later(submission: Submission, wait_s: float, note: str, *, failed: bool = False) -> None:
    """Make it due again after `wait_s`; what may have been sent, no longer than LOOK_FOR."""
    if submission.state != SubmissionState.DUE and is_late(submission, timezone.now()):
        give_up(submission, f"It could not be looked for: {note}")
        return
    leases.postpone(submission, wait_s, note, failures=F("failures") + int(failed))


def is_late(submission: Submission, now: datetime) -> bool:
    """Whether it has been looked for so long that a person should decide."""
    return now - (submission.sent_at or submission.created_at) >= LOOK_FOR


def record_event(job: Job, message: str, user: User | None = None) -> None:
    JobEvent.build(job, EventSource.SUBMIT, job.status, job.status, message, user).save()
