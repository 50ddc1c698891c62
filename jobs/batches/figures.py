"""How far batches have got: their jobs by outcome, and how long the rest takes."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, Value, When

from jobs.models import Batch, BatchState, Job
from jobs.query.visibility import Visibility
from providers.core.status import TERMINAL, JobStatus

# What a retry makes up for
_RETRIED = (JobStatus.FAILED, JobStatus.CANCELLED)
GONE = "gone"
# The rate of the last minutes says how long the rest takes, once some jobs have ended.
RATE_OF = timedelta(minutes=10)
ENOUGH_ENDED = 5


@dataclass(frozen=True, slots=True)
class Figures:
    """Of the jobs of a batch, each counted once however often it was retried.

    `failed` has the inputs that were refused as well. `unsent` ones and `active` jobs remain;
    `gone` ones are not known by their provider any more, whatever became of them.
    """

    total: int
    succeeded: int
    failed: int
    cancelled: int
    gone: int
    active: int
    unsent: int
    refused: int

    @property
    def remaining(self) -> int:
        return self.active + self.unsent


def read_figures(visible: Visibility, batches: Collection[Batch]) -> dict[int, Figures]:
    """By batch. Two queries, however many there are."""
    counts = _count_jobs(visible, [batch.pk for batch in batches])
    return {batch.pk: _build(batch, counts[batch.pk]) for batch in batches}


def state_of(batch: Batch, figures: Figures) -> str:
    """`sending`, `stopped`, then `running` until the last job has ended, then `done`."""
    if batch.state != BatchState.SENT:
        return str(batch.state)
    return "running" if figures.remaining else "done"


def minutes_left(batch: Batch, figures: Figures, now: datetime) -> int | None:
    """About how many minutes the rest takes, at the rate of the last ones; None: not known yet."""
    if not figures.remaining or batch.state == BatchState.STOPPED:
        return None
    since = max(batch.created_at, now - RATE_OF)
    ended = Job.objects.filter(batch=batch, status__in=sorted(TERMINAL), ended_at__gt=since).count()
    if ended < ENOUGH_ENDED:
        return None
    a_minute = ended / max((now - since) / timedelta(minutes=1), 1 / 60)
    return max(round(figures.remaining / a_minute), 1)


def count_causes(visible: Visibility, batch: Batch) -> list[tuple[str, int]]:
    """Error classes and how many jobs failed so, the most frequent first; retried ones, too."""
    failed = visible.jobs().filter(batch=batch, status=JobStatus.FAILED)
    counts = failed.values_list("error_class").annotate(jobs=Count("pk")).order_by()
    return sorted(counts, key=lambda row: (-row[1], row[0]))


def _count_jobs(visible: Visibility, batch_ids: list[int]) -> dict[int, Counter[str]]:
    """By batch and status, `gone` among these; what was retried within its batch is left out."""
    jobs = visible.jobs().filter(batch__in=batch_ids)
    is_gone = Q(gone_at__isnull=False) & ~Q(status__in=sorted(TERMINAL))
    status = Case(When(is_gone, then=Value(GONE)), default="status", output_field=CharField())
    retries = Job.objects.filter(retry_of=OuterRef("pk"), batch=OuterRef("batch"))
    ended = jobs.filter(status__in=_RETRIED).exclude(Exists(retries))
    found: dict[int, Counter[str]] = {pk: Counter() for pk in batch_ids}
    others = jobs.exclude(status__in=_RETRIED).annotate(kind=status)
    for rows in (others, ended.annotate(kind=F("status"))):
        counted = rows.values_list("batch", "kind").annotate(Count("pk")).order_by()
        for batch_id, kind, count in counted:
            found[batch_id][kind] += count
    return found


def _build(batch: Batch, counts: Counter[str]) -> Figures:
    succeeded, cancelled = counts[JobStatus.SUCCEEDED], counts[JobStatus.CANCELLED]
    known = succeeded + cancelled + counts[JobStatus.FAILED] + counts[GONE]
    return Figures(
        total=batch.total,
        succeeded=succeeded,
        failed=counts[JobStatus.FAILED] + batch.refused,
        cancelled=cancelled,
        gone=counts[GONE],
        active=counts.total() - known,
        unsent=batch.unsent,
        refused=batch.refused,
    )
