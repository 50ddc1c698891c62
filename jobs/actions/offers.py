"""Which actions a job offers now, and why not the others."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from jobs.actions.attempts import unfinished_of
from jobs.actions.facts import Facts, read_facts
from jobs.models import Job
from providers.core.status import TERMINAL, JobStatus
from providers.core.types import Capability


class Refusal(StrEnum):
    """Why an action is not possible, for programs: the codes of the API."""

    FINISHED = "finished"
    NOT_FINISHED = "not_finished"
    WRONG_STATUS = "wrong_status"  # the provider acts on jobs in other statuses only
    NOT_SUPPORTED = "not_supported"
    NOT_SUBMITTED_HERE = "not_submitted_here"
    BEING_SENT = "being_sent"
    NOT_ACCEPTED = "not_accepted"  # the provider has no such job
    NOT_CURRENT = "not_current"  # another attempt is
    GONE = "gone"
    PAUSED = "paused"
    RETRY_RUNNING = "retry_running"
    REQUEST_UNREADABLE = "request_unreadable"  # its encryption key is lost
    OUT_OF_DATE = "out_of_date"  # a page showed the job as it was before


class ActionRefused(Exception):
    """The action is not possible for this job now; the message says why."""

    def __init__(self, code: Refusal, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class AvailableAction:
    """An action that the job's provider has; `refusal` says why it is not allowed now."""

    name: str
    label: str
    refusal: ActionRefused | None = None
    is_native: bool = False

    @property
    def allowed(self) -> bool:
        return self.refusal is None

    @property
    def reason(self) -> str:
        return str(self.refusal or "")


def available_actions(job: Job, retries: Collection[Job]) -> list[AvailableAction]:
    """What the page offers for `job`, which has these `retries`; the rest is absent."""
    facts = read_facts([job], with_retries=False)[job.pk]
    retry = unfinished_of(list(retries))
    return list_offers(job, replace(facts, retry=retry.pk if retry else None))


def list_offers(job: Job, facts: Facts) -> list[AvailableAction]:
    """What is offered for `job`; what its provider cannot do is absent."""
    resubmit = offer_resubmit(job, facts)
    if resubmit and facts.retry:
        refusal = ActionRefused(Refusal.RETRY_RUNNING, f"Already retried as job {facts.retry}.")
        resubmit = replace(resubmit, refusal=refusal)
    return [action for action in (offer_cancel(job, facts), resubmit) if action]


def offer_cancel(job: Job, facts: Facts) -> AvailableAction | None:
    """None where the job's provider does not support it."""
    is_submitting = job.status == JobStatus.SUBMITTING
    if not is_submitting and not job.account.adapter_class.supports(Capability.CANCEL):
        return None
    return AvailableAction("cancel", "Cancel", _why_no_cancel(job, facts))


def offer_resubmit(job: Job, facts: Facts) -> AvailableAction | None:
    """A native retry where the provider has one, else a new job; None where neither is possible."""
    adapter_class = job.account.adapter_class
    is_native = adapter_class.supports(Capability.RESUBMIT) and job.remote_id is not None
    if not is_native and not adapter_class.supports(Capability.SUBMIT):
        return None
    return AvailableAction("resubmit", "Retry", _why_no_retry(job, facts, is_native), is_native)


def check_offer(job: Job, offer: AvailableAction | None) -> None:
    """Raise ActionRefused, with the reason, unless the action is allowed now."""
    if offer is None:
        raise cannot_act(job)
    if offer.refusal is not None:
        raise offer.refusal


def cannot_act(job: Job) -> ActionRefused:
    """What an action is refused with that the provider of `job` does not have."""
    return ActionRefused(
        Refusal.NOT_SUPPORTED, f"{job.account.provider_label} does not support this."
    )


def check_unchanged(job: Job, attempt: str, status: str) -> None:
    """Raise ActionRefused where a page showed another attempt, or `job` before an end or restart.

    Changes while a job runs, even of its status, do not matter.
    """
    if attempt != str(job.attempt):
        message = f"The page was out of date: it showed attempt {attempt[:10]}."
        raise ActionRefused(Refusal.OUT_OF_DATE, message)
    if status == job.status or not (status in TERMINAL or job.is_terminal):
        return
    change = "ended" if job.is_terminal else "restarted"
    message = f"The job has {change} since the page was loaded: it is {job.status} now."
    raise ActionRefused(Refusal.OUT_OF_DATE, message)


def _why_no_cancel(job: Job, facts: Facts) -> ActionRefused | None:
    adapter_class = job.account.adapter_class
    if job.status == JobStatus.SUBMITTING:
        if facts.is_unsent:
            return None
        return ActionRefused(Refusal.BEING_SENT, "It is being sent to the provider.")
    if job.is_terminal:
        return ActionRefused(Refusal.FINISHED, f"It has already ended: it is {job.status}.")
    if refusal := _why_out_of_reach(job, facts):
        return refusal
    if job.status not in adapter_class.cancellable:
        statuses = " or ".join(sorted(adapter_class.cancellable))
        message = f"{adapter_class.label} cancels only jobs that are {statuses}."
        return ActionRefused(Refusal.WRONG_STATUS, message)
    # a cancel that waits for somebody to resume the account comes too late
    if not job.account.enabled:
        return ActionRefused(Refusal.PAUSED, f"{job.account} is paused. Resume it first.")
    return None


def _why_no_retry(job: Job, facts: Facts, is_native: bool) -> ActionRefused | None:
    adapter_class = job.account.adapter_class
    if not job.is_terminal:
        return ActionRefused(Refusal.NOT_FINISHED, "It has not finished yet.")
    if not is_native:
        if facts.is_submitted_here:
            return None
        message = "It was not submitted with Reelboard, so its settings are unknown."
        return ActionRefused(Refusal.NOT_SUBMITTED_HERE, message)
    if refusal := _why_out_of_reach(job, facts):
        return refusal
    if job.status not in adapter_class.resubmittable:
        statuses = " or ".join(sorted(adapter_class.resubmittable))
        message = f"{adapter_class.label} retries only jobs that are {statuses}."
        return ActionRefused(Refusal.WRONG_STATUS, message)
    return None


def _why_out_of_reach(job: Job, facts: Facts) -> ActionRefused | None:
    """Why the provider cannot be asked to act on this very job."""
    if not job.is_newest:
        newest, message = facts.newest, "A later attempt has replaced it."
        if newest is not None and newest.attempt < job.attempt:
            message = (
                f"It never ran: attempt {newest.attempt}, job {newest.pk}, is the current one."
            )
        return ActionRefused(Refusal.NOT_CURRENT, message)
    if job.gone_at is not None:
        return ActionRefused(Refusal.GONE, "The provider no longer has it.")
    if job.remote_id is None:
        return ActionRefused(Refusal.NOT_ACCEPTED, "The provider has not accepted it.")
    return None
