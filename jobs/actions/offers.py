"""Which actions a job offers now, and why not the others."""

from dataclasses import dataclass, replace

from jobs.actions.attempts import unfinished_of
from jobs.models import Job, Submission, SubmissionState
from jobs.models.submission import SubmissionQuerySet
from providers.core.status import TERMINAL, JobStatus
from providers.core.types import Capability


class ActionRefused(Exception):
    """The action is not possible for this job now; the message says why."""


@dataclass(frozen=True, slots=True)
class AvailableAction:
    """An action that the job's provider has; `reason` says why it is not allowed now."""

    name: str
    label: str
    allowed: bool
    reason: str = ""
    is_native: bool = False


def available_actions(job: Job, retries: list[Job]) -> list[AvailableAction]:
    """What the page offers for `job`, which has these `retries`; the rest is absent."""
    resubmit = offer_resubmit(job)
    if resubmit and (retry := unfinished_of(retries)):
        resubmit = replace(resubmit, allowed=False, reason=f"Already retried as job {retry.pk}.")
    return [action for action in (offer_cancel(job), resubmit) if action]


def offer_cancel(job: Job) -> AvailableAction | None:
    """None where the job's provider does not support it."""
    if job.status == JobStatus.SUBMITTING:
        reason = "" if unsent(job).exists() else "It is on its way to the provider."
        return AvailableAction("cancel", "Cancel", not reason, reason)
    adapter_class = job.account.adapter_class
    if not adapter_class.supports(Capability.CANCEL):
        return None
    reason = _why_not(job)
    if not reason and job.status not in adapter_class.cancellable:
        statuses = " or ".join(sorted(adapter_class.cancellable))
        reason = f"{adapter_class.label} cancels only jobs that are {statuses}."
    return AvailableAction("cancel", "Cancel", not reason, reason)


def offer_resubmit(job: Job) -> AvailableAction | None:
    """A native retry where the provider has one, else a new job; None where neither is possible."""
    adapter_class = job.account.adapter_class
    is_native = adapter_class.supports(Capability.RESUBMIT) and job.remote_id is not None
    if not is_native and not adapter_class.supports(Capability.SUBMIT):
        return None
    reason = "" if job.is_terminal else "It is not finished yet."
    if is_native:
        reason = reason or _why_not(job)
        if not reason and job.status not in adapter_class.resubmittable:
            statuses = " or ".join(sorted(adapter_class.resubmittable))
            reason = f"{adapter_class.label} retries only jobs that are {statuses}."
    elif not reason and job.request is None:
        reason = "It was not submitted here, so its settings are unknown."
    return AvailableAction("resubmit", "Retry", not reason, reason, is_native)


def check_offer(job: Job, offer: AvailableAction | None) -> None:
    """Raise ActionRefused, with the reason, unless the action is allowed now."""
    if offer is None:
        raise ActionRefused(f"{job.account.provider_label} cannot do this.")
    if not offer.allowed:
        raise ActionRefused(offer.reason)


def check_unchanged(job: Job, attempt: str, status: str) -> None:
    """Raise ActionRefused where a page showed another attempt, or `job` before an end or restart.

    Changes while a job runs, even of its status, do not matter.
    """
    if attempt != str(job.attempt):
        raise ActionRefused(f"The page was out of date: it showed attempt {attempt[:10]}.")
    if status == job.status or not (status in TERMINAL or job.is_terminal):
        return
    change = "ended" if job.is_terminal else "restarted"
    raise ActionRefused(f"The job has {change} since the page was loaded: it is {job.status} now.")


def unsent(job: Job) -> SubmissionQuerySet:
    """The submission of `job` while no worker holds it and nothing was sent."""
    return Submission.objects.filter(
        pk=job.pk, state=SubmissionState.DUE, leased_until__isnull=True
    )


def _why_not(job: Job) -> str:
    if not job.is_newest:
        newest = Job.objects.filter(
            account=job.account_id, remote_id=job.remote_id, is_newest=True
        ).first()
        if newest is not None and newest.attempt < job.attempt:
            return f"It never ran: attempt {newest.attempt}, job {newest.pk}, is the current one."
        return "A later attempt has replaced it."
    if job.gone_at is not None:
        return "The provider no longer knows it."
    if job.remote_id is None:
        return "The provider has not accepted it."
    return ""
