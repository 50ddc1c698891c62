"""Putting jobs that were submitted otherwise into a batch."""

from django.db.models import F
from django.utils import timezone

from jobs.mirror.search import refresh_search
from jobs.models import Batch, BatchState, Job
from organizations.models import ApiToken, AuditEntry, Organization, User


class NotAdded(Exception):
    """The job cannot be put into the batch; the message says why."""


def create_empty(
    organization: Organization,
    name: str,
    *,
    user: User | None = None,
    token: ApiToken | None = None,
) -> Batch:
    """A batch without inputs, to which jobs are added. Raises IntegrityError for a name in use."""
    now = timezone.now()
    batch = Batch.objects.create(
        organization=organization,
        name=name,
        state=BatchState.SENT,
        actor=user,
        token=token,
        created_at=now,
        ended_at=now,
        total=0,
    )
    AuditEntry.record(organization, "batch.created", batch, actor=user, token=token)
    return batch


def add_job(
    job: Job, batch: Batch, *, user: User | None = None, token: ApiToken | None = None
) -> None:
    """Put the job into the batch and count it there, inside a transaction. Sends nothing.

    Raises NotAdded, also where the job is in this batch already.
    """
    # in the order in which the inputs of a batch are submitted: the batch before its jobs
    locked = Batch.objects.select_for_update(no_key=True).only("name").filter(pk=batch.pk).first()
    if locked is None:
        raise NotAdded("The batch has been deleted.")
    current = Job.objects.select_for_update(no_key=True).only("batch", "retry_of").get(pk=job.pk)
    if current.batch_id is not None:
        name = Batch.objects.filter(pk=current.batch_id).values_list("name", flat=True).get()
        raise NotAdded(f"It is already in the batch “{name}”.")
    more = _count_more(current, batch)
    Batch.objects.filter(pk=batch.pk).update(total=F("total") + more, added=F("added") + more)
    # as the mirror's writer does: open pages bring the row anew
    Job.objects.filter(pk=job.pk).update(batch=batch, version=F("version") + 1)
    refresh_search([job.pk])
    AuditEntry.record(
        job.organization,
        "job.added_to_batch",
        job,
        actor=user,
        token=token,
        details={"batch": locked.name},
    )


def _count_more(job: Job, batch: Batch) -> int:
    """By how many the batch has more: a job and its retries in a batch count once.

    -1 where the job is what links two of them.
    """
    in_batch = Job.objects.filter(batch=batch)
    is_retried = in_batch.filter(retry_of=job.pk).exists()
    is_retry = job.retry_of_id is not None and in_batch.filter(pk=job.retry_of_id).exists()
    takes_place = is_retry and not in_batch.filter(retry_of=job.retry_of_id).exists()
    return int(not is_retried) - int(takes_place)
