"""Cancelling and running again: what is offered, and what a worker carries out.

A native resubmit is sent once at the most. Whether it was sent is written down before, and after
an ambiguous end only reading the job tells whether the provider carried it out.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from jobs.accounts.clients import open_provider
from jobs.actions.attempts import unfinished_of
from jobs.mirror import writer
from jobs.models import (
    ActionKind,
    ActionState,
    EventSource,
    Job,
    JobAction,
    JobEvent,
    Submission,
    SubmissionState,
)
from jobs.models.action import JobActionQuerySet
from jobs.models.submission import SubmissionQuerySet
from jobs.submission.service import request_sync_soon
from jobs.sync.runner import refresh_one
from jobs.workqueue.enqueue import hint
from jobs.workqueue.hosts import admit, ask_first
from jobs.workqueue.reconnect import CUT, insist
from jobs.workqueue.seats import Work
from organizations.models import ApiToken, AuditEntry, User
from providers.core.contract import Provider
from providers.core.errors import BudgetExhausted, NotFound, ProviderError, RateLimited
from providers.core.status import TERMINAL, JobStatus
from providers.core.types import Capability, RemoteJob

LEASE = timedelta(seconds=100)
DEADLINE_S = 75.0
RETRY_S = 5
RETRY_CAP_S = 900
MAX_FAILURES = 6

# After an ambiguous end: how often the job is read, and how far apart two reads are that both show
# the old failure before the resubmit counts as not carried out.
CONFIRM_S = 15
UNCONFIRMED_AFTER = timedelta(seconds=60)
UNCONFIRMED = "Not confirmed by the provider"


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
    resubmit = resubmit_offer(job)
    if resubmit and (retry := unfinished_of(retries)):
        resubmit = replace(resubmit, allowed=False, reason=f"Retried already, as job {retry.pk}.")
    return [action for action in (_cancel_offer(job), resubmit) if action]


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


def request_cancel(
    job: Job, *, user: User | None = None, token: ApiToken | None = None
) -> JobAction:
    """Ask for `job` to be cancelled. Raises ActionRefused."""
    check_offer(job, _cancel_offer(job))
    if job.status == JobStatus.SUBMITTING:
        return _cancel_unsent(job, user, token)
    try:
        with transaction.atomic():
            action = JobAction.objects.create(
                job=job, kind=ActionKind.CANCEL, actor=user, token=token, next_at=timezone.now()
            )
            record_event(job, "Cancel asked for", user)
            AuditEntry.record(
                job.organization, "job.cancel_requested", job, actor=user, token=token
            )
            hint("run_action", action.pk)
    except IntegrityError:
        return JobAction.objects.get(job=job, kind=ActionKind.CANCEL, state=ActionState.DUE)
    return action


def run_action(action_id: int) -> None:
    """Carry one asked-for action out. Safe to run twice at a time."""
    action = _claim(action_id)
    if action is None:
        return
    try:
        with (
            admit(action.job.account.host, Work.PEOPLE),
            open_provider(action.job.account, deadline_s=DEADLINE_S) as adapter,
        ):
            ask_first(adapter)
            # from here the lease outlives the adapter's deadline
            if not _renew(action):
                return
            if action.kind == ActionKind.CANCEL:
                _cancel(action, adapter)
            else:
                _resubmit(action, adapter)
    except (BudgetExhausted, RateLimited) as error:
        # not carried out, and no failure: it only waits for its turn
        _later(action, error.wait_s or RETRY_S, str(error), failures=action.failures - 1)
    except ProviderError as error:
        if (error.transient or error.ambiguous) and action.failures < MAX_FAILURES:
            _later(action, error.wait_s or _back_off_s(action), str(error))
        elif _refuse(action, error):
            _show_end(action.job, error)
    except CUT:
        raise  # nobody's failure: it is still due
    except Exception:
        # our own fault: told on the job, and raised for the log
        sentence = "A fault of our own: see the log."
        if action.failures < MAX_FAILURES or action.sent_at:
            _later(action, _back_off_s(action), sentence)
        else:
            _refuse(action, ProviderError(sentence))
        raise
    finally:
        insist(lambda: _held(action).update(leased_until=None))


def _claim(action_id: int) -> JobAction | None:
    """The action under a lease of this run, with one more failure until it has ended well."""
    now = timezone.now()
    lease = now + LEASE
    due = JobAction.objects.due(now).filter(pk=action_id).order_by()
    if not due.update(leased_until=lease, failures=F("failures") + 1):
        return None
    claimed = JobAction.objects.filter(pk=action_id, leased_until=lease)
    return claimed.select_related("job__account", "actor").first()


def _renew(action: JobAction) -> bool:
    """Whether this run still has the action: one that was stopped past its lease must not act."""
    lease = timezone.now() + LEASE
    is_ours = bool(_held(action).update(leased_until=lease))
    if is_ours:
        action.leased_until = lease
    return is_ours


def _held(action: JobAction) -> JobActionQuerySet:
    """The row while it is under the lease that `action` carries."""
    return JobAction.objects.filter(pk=action.pk, leased_until=action.leased_until)


def _cancel_offer(job: Job) -> AvailableAction | None:
    adapter_class = job.account.adapter_class
    if job.status == JobStatus.SUBMITTING:
        unsent = _unsent(job).exists()
        return AvailableAction(
            "cancel", "Cancel", unsent, "" if unsent else "It is on its way to the provider."
        )
    if not adapter_class.supports(Capability.CANCEL):
        return None
    reason = _why_not(job)
    if not reason and job.status not in adapter_class.cancellable:
        words = " or ".join(sorted(adapter_class.cancellable))
        reason = f"{adapter_class.label} cancels only jobs that are {words}."
    return AvailableAction("cancel", "Cancel", not reason, reason)


def resubmit_offer(job: Job) -> AvailableAction | None:
    adapter_class = job.account.adapter_class
    is_native = adapter_class.supports(Capability.RESUBMIT) and job.remote_id is not None
    if not is_native and not adapter_class.supports(Capability.SUBMIT):
        return None
    reason = "" if job.is_terminal else "It is not finished yet."
    if is_native:
        reason = reason or _why_not(job)
        if not reason and job.status not in adapter_class.resubmittable:
            words = " or ".join(sorted(adapter_class.resubmittable))
            reason = f"{adapter_class.label} runs a job again only when it is {words}."
    elif not reason and job.request is None:
        reason = "It was not submitted here, so its settings are not known."
    return AvailableAction("resubmit", "Retry", not reason, reason, is_native)


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


def check_offer(job: Job, offer: AvailableAction | None) -> None:
    """Raise ActionRefused, with why, for what cannot be done with `job` now."""
    if offer is None:
        raise ActionRefused(f"{job.account.provider_label} cannot do this.")
    if not offer.allowed:
        raise ActionRefused(offer.reason)


def _cancel_unsent(job: Job, user: User | None, token: ApiToken | None) -> JobAction:
    with transaction.atomic():
        # the condition that a worker's claim needs too: one of the two gets it
        if not _unsent(job).update(
            state=SubmissionState.REFUSED, note="Cancelled before it was sent."
        ):
            raise ActionRefused("It is on its way to the provider.")
        writer.cancel_unsent(job, actor=user)
        AuditEntry.record(job.organization, "job.cancelled", job, actor=user, token=token)
        return JobAction.objects.create(
            job=job,
            kind=ActionKind.CANCEL,
            actor=user,
            token=token,
            state=ActionState.DONE,
            next_at=timezone.now(),
        )


def _unsent(job: Job) -> SubmissionQuerySet:
    return Submission.objects.filter(
        pk=job.pk, state=SubmissionState.DUE, leased_until__isnull=True
    )


def _cancel(action: JobAction, adapter: Provider) -> None:
    job = action.job
    observed_at = timezone.now()
    remote = _read(adapter, job) if _was_tried(action) else None
    if not _was_tried(action) or (remote is not None and not remote.status.is_terminal):
        adapter.cancel(job.remote_id or "")
        observed_at = timezone.now()
        try:
            remote = _read(adapter, job)
        except ProviderError:
            # it is carried out: the next pass shows what became of it
            _done(action)
            request_sync_soon(job.account)
            return
    if remote is None:
        # some providers forget a cancelled job: we know what became of it
        writer.mark_gone(
            job.account,
            job,
            source=EventSource.ACTION,
            observed_at=observed_at,
            took_cancel=True,
            actor=action.actor,
        )
    else:
        writer.apply(
            job.account,
            [remote],
            source=EventSource.ACTION,
            observed_at=observed_at,
            actor=action.actor,
        )
    _done(action)


def _was_tried(action: JobAction) -> bool:
    """Whether an earlier try had no clear end, so that what was asked for may be done."""
    return action.failures > 1


def _read(adapter: Provider, job: Job) -> RemoteJob | None:
    try:
        return adapter.get_job(job.remote_id or "")
    except NotFound:
        return None


def _resubmit(action: JobAction, adapter: Provider) -> None:
    """Send the resubmit, once at the most, or find out what became of it."""
    if action.job.status == JobStatus.SUBMITTING:
        if action.sent_at is None:
            _send_resubmit(action, adapter)
        else:
            _confirm_resubmit(action, adapter)
    else:
        _done(action)  # a pass has seen it run


def _send_resubmit(action: JobAction, adapter: Provider) -> None:
    attempt = action.job
    action.sent_at = timezone.now()
    # written first: a run that dies from here on has sent it, as far as anybody knows
    if not _held(action).filter(sent_at__isnull=True).update(sent_at=action.sent_at):
        return
    try:
        adapter.resubmit(attempt.remote_id or "")
    except ProviderError as error:
        if error.ambiguous:
            record_event(
                attempt, f"No clear answer: {error} Reading the job until it is clear.", None
            )
            _later(action, RETRY_S, str(error), failures=0)
            return
        if error.transient:  # it did not leave
            _held(action).update(sent_at=None)
            action.sent_at = None
        raise
    writer.confirm_attempt(attempt, source=EventSource.ACTION, actor=action.actor)
    _done(action)
    request_sync_soon(attempt.account)


def _confirm_resubmit(action: JobAction, adapter: Provider) -> None:
    """Read a job that may or may not run again: nothing is sent a second time."""
    attempt = action.job
    observed_at = timezone.now()
    try:
        remote = adapter.get_job(attempt.remote_id or "")
    except (BudgetExhausted, RateLimited, NotFound):
        raise
    except ProviderError as error:
        _later(action, error.wait_s or _back_off_s(action), str(error))
        return
    writer.apply(
        attempt.account,
        [remote],
        source=EventSource.ACTION,
        observed_at=observed_at,
        actor=action.actor,
    )
    attempt.refresh_from_db(fields=["status"])
    if attempt.status != JobStatus.SUBMITTING:
        _done(action)
        request_sync_soon(attempt.account)
        return
    first_at = action.first_unchanged_at or observed_at
    if observed_at - first_at >= UNCONFIRMED_AFTER:
        _refuse(action, ProviderError(UNCONFIRMED, error_class="provider.timeout"))
        return
    _held(action).update(first_unchanged_at=first_at)
    _later(action, CONFIRM_S, action.note, failures=0)


def _done(action: JobAction) -> None:
    JobAction.objects.filter(pk=action.pk).update(state=ActionState.DONE, note="")


def _later(action: JobAction, wait_s: float, note: str, **values: int) -> None:
    next_at = timezone.now() + timedelta(seconds=wait_s)
    _held(action).update(next_at=next_at, note=note[:500], **values)


def _back_off_s(action: JobAction) -> float:
    return float(min(RETRY_S * 2 ** min(action.failures - 1, 10), RETRY_CAP_S))


def _refuse(action: JobAction, error: ProviderError) -> bool:
    """End the action with a clear message; False when another run has it by now."""
    due = _held(action).filter(state=ActionState.DUE)
    with transaction.atomic():
        if not due.update(state=ActionState.REFUSED, note=str(error)[:500]):
            return False
        if action.kind == ActionKind.RESUBMIT:
            writer.fail_attempt(action.job, error, source=EventSource.ACTION, actor=action.actor)
        else:
            record_event(action.job, f"Cancel refused: {error}", action.actor)
    return True


def _show_end(job: Job, refusal: ProviderError) -> None:
    """Show what the job is now: a refusal often means that it ended meanwhile."""
    if refusal.transient:
        # the host may not answer, and the seat for waiting is given back already
        request_sync_soon(job.account)
        return
    try:
        refresh_one(job.account, job.remote_id or "", source=EventSource.ACTION)
    except ProviderError:
        request_sync_soon(job.account)


def record_event(job: Job, message: str, user: User | None) -> None:
    JobEvent.told(job, EventSource.ACTION, job.status, job.status, message, user).save()
