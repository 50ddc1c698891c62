"""What a run of an action comes to, written only while the run still has the row."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from jobs.mirror import writer
from jobs.models import ActionKind, ActionState, EventSource, Job, JobAction, JobEvent
from jobs.models.action import JobActionQuerySet
from organizations.models import User
from providers.core.errors import ProviderError

RETRY_S = 5
RETRY_CAP_S = 900


def held(action: JobAction) -> JobActionQuerySet:
    """The row while it is under the lease that `action` carries."""
    return JobAction.objects.filter(pk=action.pk, leased_until=action.leased_until)


def mark_done(action: JobAction) -> None:
    JobAction.objects.filter(pk=action.pk).update(state=ActionState.DONE, note="")


def refuse(action: JobAction, error: ProviderError) -> bool:
    """End the action with a clear message; False when another run has it by now."""
    due = held(action).filter(state=ActionState.DUE)
    with transaction.atomic():
        if not due.update(state=ActionState.REFUSED, note=str(error)[:500]):
            return False
        if action.kind == ActionKind.RESUBMIT:
            writer.fail_attempt(action.job, error, source=EventSource.ACTION, actor=action.actor)
        else:
            record_event(action.job, f"Cancel refused: {error}", action.actor)
    return True


def retry_later(action: JobAction, wait_s: float, note: str, **values: int) -> None:
    next_at = timezone.now() + timedelta(seconds=wait_s)
    held(action).update(next_at=next_at, note=note[:500], **values)


def back_off_s(action: JobAction) -> float:
    return float(min(RETRY_S * 2 ** min(action.failures - 1, 10), RETRY_CAP_S))


def record_event(job: Job, message: str, user: User | None) -> None:
    JobEvent.told(job, EventSource.ACTION, job.status, job.status, message, user).save()
