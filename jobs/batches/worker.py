"""Submitting batches, in short runs: each submits as many inputs as may be under way."""

from jobs.batches.sending import AccountUnusable, count_under_way, submit_next
from jobs.batches.service import end
from jobs.models import Batch, BatchState, Job
from jobs.workqueue import dispatch as submissions
from jobs.workqueue import short_runs
from jobs.workqueue.short_runs import UNDER_WAY, WAIT_S, why_not_allowed
from organizations.encryption import Undecryptable
from organizations.permissions import Permission


def dispatch() -> None:
    short_runs.dispatch(Batch.objects.all(), "run_batch")


def run_batch(batch_id: int) -> None:
    """Do the next part of a batch that is due. Safe to run twice at a time."""
    short_runs.run(Batch.objects.all(), batch_id, "run_batch", _run, "account", "template_version")


def _run(batch: Batch) -> float | None:
    """In how many seconds the next run is due; None where nothing is left to do."""
    if not batch.is_open:
        return None
    if refusal := why_not_allowed(batch, Permission.SUBMIT):
        end(batch, BatchState.STOPPED, refusal)
        return None
    try:
        has_more = submit_next(batch)
    except (AccountUnusable, Undecryptable) as error:
        end(batch, BatchState.STOPPED, str(error))
        return None
    submissions.dispatch()
    if has_more:
        return WAIT_S
    end(batch, BatchState.SENT)
    return None


def continue_after(job_id: int) -> None:
    """Have the batch of a job that was just sent go on, so that it does not wait for the tick.

    Not after each job, but when half of what may be under way is.
    """
    of_job = Job.objects.filter(pk=job_id, batch__isnull=False)
    batch = Batch.objects.filter(state=BatchState.SENDING, pk__in=of_job.values("batch"))
    found = batch.values_list("pk", "account").first()
    if found is None or count_under_way(found[1]) > UNDER_WAY // 2:
        return
    short_runs.hasten(Batch.objects.all(), found[0], "run_batch")
