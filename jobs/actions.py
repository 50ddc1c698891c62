"""Cancelling and running again: what is offered, asked for, and carried out by a worker."""

from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from jobs import mirror
from jobs.clients import open_provider
from jobs.fields import Undecryptable
from jobs.hints import hint
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
from jobs.submission import request_sync_soon, sent_request, submit
from jobs.sync import refresh_one
from organizations.models import ApiToken, AuditEntry, User
from providers.base import Provider
from providers.errors import BudgetExhausted, NotFound, ProviderError, RateLimited
from providers.status import JobStatus
from providers.types import Capability, RemoteJob

LEASE = timedelta(seconds=100)
DEADLINE_S = 75.0
RETRY_S = 5
MAX_FAILURES = 6


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


def available_actions(job: Job) -> list[AvailableAction]:
    """What the page offers for `job`: actions the provider lacks are absent."""
    return [action for action in (_cancel_offer(job), _resubmit_offer(job)) if action]


def request_cancel(
    job: Job, *, user: User | None = None, token: ApiToken | None = None
) -> JobAction:
    """Ask for `job` to be cancelled. Raises ActionRefused."""
    return _request(job, ActionKind.CANCEL, _cancel_offer(job), user, token)


def request_resubmit(
    job: Job, *, user: User | None = None, token: ApiToken | None = None
) -> Job | JobAction:
    """Ask for `job` to run again: natively, or as a new linked job from the same request.

    Raises ActionRefused.
    """
    offer = _resubmit_offer(job)
    if offer is not None and offer.allowed and not offer.is_native:
        try:
            request = sent_request(job)
        except Undecryptable as error:
            raise ActionRefused(str(error)) from error
        if request is None:
            raise ActionRefused("Only jobs that were submitted here can be submitted again.")
        return submit(
            organization=job.organization,
            account=job.account,
            request=request,
            user=user,
            token=token,
            allow_duplicate=True,
            retry_of=job,
        ).job
    return _request(job, ActionKind.RESUBMIT, offer, user, token)


def run_action(action_id: int) -> None:
    """Carry one asked-for action out. Safe to run twice at a time."""
    action = _claim(action_id)
    if action is None:
        return
    try:
        with open_provider(action.job.account, deadline_s=DEADLINE_S) as adapter:
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
        elif _refuse(action, str(error)):
            _reread(action.job)
    except Exception:
        # our own fault: told on the job, and raised for the log
        sentence = "A fault of our own: see the log."
        if action.failures < MAX_FAILURES:
            _later(action, _back_off_s(action), sentence)
        else:
            _refuse(action, sentence)
        raise
    finally:
        _held(action).update(leased_until=None)


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


def _resubmit_offer(job: Job) -> AvailableAction | None:
    adapter_class = job.account.adapter_class
    is_native = adapter_class.supports(Capability.RESUBMIT) and job.remote_id is not None
    if not is_native and not adapter_class.supports(Capability.SUBMIT):
        return None
    reason = "" if job.is_terminal else "It is not finished yet."
    if is_native:
        reason = reason or _why_not(job)
        if not reason and job.status not in adapter_class.resubmittable:
            words = " or ".join(sorted(adapter_class.resubmittable))
            reason = f"{adapter_class.label} runs only jobs again that are {words}."
    elif not reason and job.request is None:
        reason = "It was not submitted here, so its settings are not known."
    return AvailableAction("resubmit", "Resubmit", not reason, reason, is_native)


def _why_not(job: Job) -> str:
    if not job.is_newest:
        return "A later attempt has taken its place."
    if job.gone_at is not None:
        return "The provider no longer knows it."
    if job.remote_id is None:
        return "The provider has not taken it."
    return ""


def _request(
    job: Job,
    kind: ActionKind,
    offer: AvailableAction | None,
    user: User | None,
    token: ApiToken | None,
) -> JobAction:
    if offer is None:
        raise ActionRefused(f"{job.account.provider_label} cannot do this.")
    if not offer.allowed:
        raise ActionRefused(offer.reason)
    if kind == ActionKind.CANCEL and job.status == JobStatus.SUBMITTING:
        return _cancel_unsent(job, user, token)
    try:
        with transaction.atomic():
            action = JobAction.objects.create(
                job=job, kind=kind, actor=user, token=token, next_at=timezone.now()
            )
            _tell(job, f"{kind.label} asked for", user)
            AuditEntry.record(
                job.organization, f"job.{kind}_requested", job, actor=user, token=token
            )
            hint("run_action", action.pk)
    except IntegrityError:
        return JobAction.objects.get(job=job, kind=kind, state=ActionState.DUE)
    return action


def _cancel_unsent(job: Job, user: User | None, token: ApiToken | None) -> JobAction:
    with transaction.atomic():
        # the condition that a worker's claim needs too: one of the two gets it
        if not _unsent(job).update(
            state=SubmissionState.REFUSED, note="Cancelled before it was sent."
        ):
            raise ActionRefused("It is on its way to the provider.")
        mirror.cancel_unsent(job, actor=user)
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
        mirror.mark_gone(
            job.account,
            job,
            source=EventSource.ACTION,
            observed_at=observed_at,
            took_cancel=True,
            actor=action.actor,
        )
    else:
        mirror.apply(
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
    job = action.job
    if not (_was_tried(action) and _runs_again(job, adapter.get_job(job.remote_id or ""))):
        adapter.resubmit(job.remote_id or "")
    mirror.open_attempt(job, source=EventSource.ACTION, actor=action.actor)
    _done(action)
    request_sync_soon(job.account)


def _runs_again(job: Job, remote: RemoteJob) -> bool:
    ended_again = remote.finished_at and job.finished_at and remote.finished_at > job.finished_at
    return remote.status.is_active or bool(ended_again)


def _done(action: JobAction) -> None:
    JobAction.objects.filter(pk=action.pk).update(state=ActionState.DONE, note="")


def _later(action: JobAction, wait_s: float, note: str, **values: int) -> None:
    next_at = timezone.now() + timedelta(seconds=wait_s)
    _held(action).update(next_at=next_at, note=note[:500], **values)


def _back_off_s(action: JobAction) -> float:
    return float(RETRY_S * 2 ** (action.failures - 1))


def _refuse(action: JobAction, sentence: str) -> bool:
    """End the action in words; False when another run has it by now."""
    due = _held(action).filter(state=ActionState.DUE)
    if not due.update(state=ActionState.REFUSED, note=sentence[:500]):
        return False
    _tell(action.job, f"{ActionKind(action.kind).label} refused: {sentence}", action.actor)
    return True


def _reread(job: Job) -> None:
    """Show what the job is now: a refusal often means that it ended meanwhile."""
    try:
        refresh_one(job.account, job.remote_id or "", source=EventSource.ACTION)
    except ProviderError:
        request_sync_soon(job.account)


def _tell(job: Job, message: str, user: User | None) -> None:
    JobEvent.told(job, EventSource.ACTION, job.status, job.status, message, user).save()
