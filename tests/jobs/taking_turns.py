"""Workers that take turns at a bulk action or a batch, in the process of a test."""

from collections.abc import Callable
from typing import TypeVar

from jobs.actions.worker import run_action
from jobs.models import ActionState, JobAction, Submission, SubmissionState
from jobs.models.work import LongWork
from jobs.submission.worker import run_submission

Work = TypeVar("Work", bound=LongWork)


def finish(work: Work, run: Callable[[int], None], rounds: int) -> Work:
    """Have what is due done, one after the other, until nothing is left."""
    rows = type(work)._default_manager.filter(pk=work.pk)
    for _ in range(rounds):
        rows.filter(next_at__isnull=False).update(next_at=work.created_at)
        run(work.pk)
        answer_all()
        work.refresh_from_db()
        if work.next_at is None:
            break
    return work


def answer_all() -> None:
    """Carry out what has been requested."""
    for pk in JobAction.objects.filter(state=ActionState.DUE).values_list("pk", flat=True):
        run_action(pk)
    for pk in Submission.objects.filter(state=SubmissionState.DUE).values_list("pk", flat=True):
        run_submission(pk)
