"""Cancelling a job: the request, and carrying it out at the provider."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from jobs.actions.facts import read_facts, unsent
from jobs.actions.offers import ActionRefused, Refusal, check_offer, offer_cancel
from jobs.actions.outcome import mark_done, record_event
from jobs.mirror import writer
from jobs.mirror.endings import cancel_unsent, mark_gone
from jobs.models import (
    ActionKind,
    ActionState,
    EventSource,
    Job,
    JobAction,
    SubmissionState,
)
from jobs.sync.on_demand import request_sync_soon
from jobs.workqueue.enqueue import enqueue_on_commit
from organizations.models import ApiToken, AuditEntry, User
from providers.core.contract import Provider
from providers.core.errors import NotFound, ProviderError
from providers.core.status import JobStatus
from providers.core.types import RemoteJob


class AlreadyCancelled(ActionRefused):
    """There is nothing left to do, which is what the caller asked for."""

    def __init__(self) -> None:
        super().__init__(Refusal.FINISHED, "It is already cancelled.")


def request_cancel(
    job: Job, *, user: User | None = None, token: ApiToken | None = None
) -> JobAction:
    """Request that `job` is cancelled; a second request changes nothing.

    Raises AlreadyCancelled, ActionRefused.
    """
    jobs = Job.objects.select_related("account", "organization")
    with transaction.atomic():
        # of two requests at once, the second sees what the first did
        job = jobs.select_for_update(of=("self",), no_key=True).get(pk=job.pk)
        if job.status == JobStatus.CANCELLED:
            raise AlreadyCancelled
        requested = JobAction.objects.filter(job=job, kind=ActionKind.CANCEL, state=ActionState.DUE)
        if not job.is_terminal and (action := requested.first()):
            return action
        facts = read_facts([job], with_retries=False)[job.pk]
        check_offer(job, offer_cancel(job, facts))
        if job.status == JobStatus.SUBMITTING:
            return _cancel_unsent(job, user, token)
        return _request(job, user, token)


def _request(job: Job, user: User | None, token: ApiToken | None) -> JobAction:
    action = JobAction.objects.create(
        job=job, kind=ActionKind.CANCEL, actor=user, token=token, next_at=timezone.now()
    )
    record_event(job, "Cancel requested", user or token)
    AuditEntry.record(job.organization, "job.cancel_requested", job, actor=user, token=token)
    enqueue_on_commit("run_action", action.pk)
    return action


def _cancel_unsent(job: Job, user: User | None, token: ApiToken | None) -> JobAction:
    # a worker takes it by the same condition: only one of the two gets it
    refused = {"state": SubmissionState.REFUSED, "note": "Cancelled before it was sent."}
    if not unsent([job.pk]).update(**refused):
        raise ActionRefused(Refusal.BEING_SENT, "It is being sent to the provider.")
    cancel_unsent(job, actor=user or token)
    AuditEntry.record(job.organization, "job.cancelled", job, actor=user, token=token)
    return JobAction.objects.create(
        job=job,
        kind=ActionKind.CANCEL,
        actor=user,
        token=token,
        state=ActionState.DONE,
        next_at=timezone.now(),
    )


def cancel(action: JobAction, adapter: Provider) -> None:
    """Cancel at the provider, and show what the job is then."""
    job = action.job
    if _was_tried(action):
        observed_at = timezone.now()
        remote = _read(adapter, job)
        if remote is None or remote.status.is_terminal:
            _end(action, remote, observed_at)
            return
    adapter.cancel(job.remote_id or "")
    observed_at = timezone.now()
    try:
        remote = _read(adapter, job)
    except ProviderError:
        # it is carried out: the next pass shows what the job is now
        mark_done(action)
        request_sync_soon(job.account)
        return
    _end(action, remote, observed_at)


def _end(action: JobAction, remote: RemoteJob | None, observed_at: datetime) -> None:
    job, actor = action.job, action.requested_by
    if remote is None:
        # some providers forget a cancelled job: that it was cancelled is known
        mark_gone(
            job.account,
            job,
            source=EventSource.ACTION,
            observed_at=observed_at,
            took_cancel=True,
            actor=actor,
        )
    else:
        writer.apply(
            job.account, [remote], source=EventSource.ACTION, observed_at=observed_at, actor=actor
        )
    mark_done(action)


def _was_tried(action: JobAction) -> bool:
    """Whether an earlier try had no clear response, so that the job may be cancelled already."""
    return action.failures > 1


def _read(adapter: Provider, job: Job) -> RemoteJob | None:
    try:
        return adapter.get_job(job.remote_id or "")
    except NotFound:
        return None
