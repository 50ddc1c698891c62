"""How much longer a running job takes, from how long comparable ones took."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.display.phases import stopped_at
from jobs.display.stuck import time_left_text
from jobs.models import Job, UsualTimes
from jobs.stuck.rule import time_left
from jobs.stuck.shape import shape_of, with_output_kind
from providers.core.status import JobStatus


@dataclass(frozen=True, slots=True)
class TimeLeft:
    """`text` is a range, from so many comparable `jobs`."""

    text: str
    jobs: int


def read_time_left(job: Job, usual: UsualTimes | None, now: datetime) -> TimeLeft | None:
    """None where nothing says so: too few jobs are comparable, or it took longer than these.

    `usual` is what `find_usual` found.
    """
    if job.status != JobStatus.RUNNING or job.started_at is None or stopped_at(job) is not None:
        return None
    if usual is None:
        return None
    elapsed_ms = max((now - job.started_at) // timedelta(milliseconds=1), 0)
    left = time_left(elapsed_ms, usual.run_p25_ms, usual.run_p90_ms)
    return TimeLeft(time_left_text(*left), usual.run_jobs) if left else None


def find_usual(job: Job) -> UsualTimes | None:
    """The usual times of jobs like this one. Two queries."""
    kind = with_output_kind(Job.objects.filter(pk=job.pk)).values_list("output_kind", flat=True)
    shape = shape_of(kind.first() or "", job.outputs_total, job.input_duration_ms)
    return UsualTimes.objects.filter(account=job.account_id, shape=shape).first()
