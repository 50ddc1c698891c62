"""Which actions a job offers now, and why not the others."""

from dataclasses import dataclass, replace

from jobs.actions.attempts import unfinished_of
from jobs.models import Job, Submission, SubmissionState
from jobs.models.submission import SubmissionQuerySet
from providers.core.status import TERMINAL, JobStatus
from providers.core.types import Capability


class ActionRefused(Exception):
    """It cannot be done with this job now; the message is a sentence."""


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
        resubmit = replace(resubmit, allowed=False, reason=f"Retried already, as job {retry.pk}.")
    return [action for action in (offer_cancel(job), resubmit) if action]


def offer_cancel(job: Job) -> AvailableAction | None:
    """Cancel as the job's provider has it; None where it has not."""
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
    """Retry, natively where the provider runs a job again itself; None where neither is there."""
    adapter_class = job.account.adapter_class
    is_native = adapter_class.supports(Capability.RESUBMIT) and job.remote_id is not None
    if not is_native and not adapter_class.supports(Capability.SUBMIT):
        return None
    reason = "" if job.is_terminal else "It is not finished yet."
    if is_native:
        reason = reason or _why_not(job)
        if not reason and job.status not in adapter_class.resubmittable:
            statuses = " or ".join(sorted(adapter_class.resubmittable))
            reason = f"{adapter_class.label} runs a job again only when it is {statuses}."
    elif not reason and job.request is None:
        reason = "It was not submitted here, so its settings are not known."
    return AvailableAction("resubmit", "Retry", not reason, reason, is_native)


def check_offer(job: Job, offer: AvailableAction | None) -> None:
    """Raise ActionRefused, with why, for what cannot be done with `job` now."""
    if offer is None:
        raise ActionRefused(f"{job.account.provider_label} cannot do this.")
    if not offer.allowed:
        raise ActionRefused(offer.reason)


def check_unchanged(job: Job, attempt: str, status: str) -> None:
    """Refuse what was offered for another attempt, or before `job` ended or began again.

    Raises ActionRefused. What moves while a job runs, its status too, refuses nothing.
    """
    if attempt != str(job.attempt):
        raise ActionRefused(f"This was offered for attempt {attempt[:10]}.")
    if status == job.status or not (status in TERMINAL or job.is_terminal):
        return
    now = f"it is {job.status} now"
    if job.is_terminal:
        raise ActionRefused(f"It has ended since this was offered: {now}.")
    raise ActionRefused(f"It has begun again since this was offered: {now}.")


def unsent(job: Job) -> SubmissionQuerySet:
    """The submission of `job` while no worker has it, and nothing was sent."""
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
        return "A later attempt has taken its place."
    if job.gone_at is not None:
        return "The provider no longer knows it."
    if job.remote_id is None:
        return "The provider has not taken it."
    return ""
