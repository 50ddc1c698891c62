"""What a run of an action comes to, written only while the run still has the row."""

from django.db import transaction

from jobs.mirror.attempts import fail_attempt
from jobs.models import ActionKind, ActionState, EventSource, Job, JobAction, JobEvent
from jobs.workqueue import leases
from jobs.workqueue.backoff import Backoff
from organizations.models import Actor
from providers.core.errors import ProviderError

# What an exception that nobody expected is called where people read it
INTERNAL_ERROR = "Internal error; see the server log."
RETRY_S = 5
BACKOFF = Backoff(first_s=RETRY_S, cap_s=900)


def mark_done(action: JobAction) -> None:
    JobAction.objects.filter(pk=action.pk).update(state=ActionState.DONE, note="")


def refuse(action: JobAction, error: ProviderError) -> bool:
    """End the action with a clear message; False when another run has it by now."""
    due = leases.held(action).filter(state=ActionState.DUE)
    with transaction.atomic():
        if not due.update(state=ActionState.REFUSED, note=str(error)[:500]):
            return False
        if action.kind == ActionKind.RESUBMIT:
            fail_attempt(action.job, error, source=EventSource.ACTION, actor=action.requested_by)
        else:
            record_event(action.job, f"Cancel refused: {error}", action.requested_by)
    return True


def record_event(job: Job, message: str, actor: Actor | None) -> None:
    JobEvent.build(job, EventSource.ACTION, job.status, job.status, message, actor).save()
