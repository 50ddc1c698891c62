"""How much longer a running job takes, from how long comparable ones took."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from jobs.display.phases import stopped_at
from jobs.display.stuck import TimeLeft, time_left_text
from jobs.models import Job, UsualTimes
from jobs.stuck.rule import time_left
from jobs.stuck.shape import shape_of, with_output_kind
from providers.core.status import JobStatus


def read_time_left(job: Job, usual: UsualTimes | None, now: datetime) -> TimeLeft | None:
    """None where nothing says so: too few jobs are comparable, or it took longer than these.

    `usual` is what `find_usual` found.
    """
    if usual is None or job.started_at is None or not _has_time_left(job):
        return None
    elapsed_ms = max((now - job.started_at) // timedelta(milliseconds=1), 0)
    left = time_left(elapsed_ms, usual.run_p25_ms, usual.run_p90_ms)
    if left is None:
        return None
    earliest, latest = (now + timedelta(milliseconds=one) for one in left)
    return TimeLeft(time_left_text(*left), earliest, latest, usual.run_jobs)


def times_left(jobs: Iterable[Job], now: datetime) -> dict[int, TimeLeft]:
    """By id, of those of which it is known. Two queries where any is running, else none."""
    running = [job for job in jobs if _has_time_left(job)]
    usual = _usual_times(running)
    found = ((job.pk, read_time_left(job, usual.get(job.pk), now)) for job in running)
    return {pk: left for pk, left in found if left}


def find_usual(job: Job) -> UsualTimes | None:
    """The usual times of jobs like this one. Two queries."""
    return _usual_times([job]).get(job.pk)


def _has_time_left(job: Job) -> bool:
    is_running = job.status == JobStatus.RUNNING and job.started_at is not None
    return is_running and stopped_at(job) is None


def _usual_times(jobs: list[Job]) -> dict[int, UsualTimes]:
    """By the ids of the jobs, where that many were alike. Two queries; none without jobs."""
    if not jobs:
        return {}
    chosen = with_output_kind(Job.objects.filter(pk__in=[job.pk for job in jobs]))
    # lists leave the input's length out
    values = ("pk", "account_id", "output_kind", "outputs_total", "input_duration_ms")
    keys = {pk: (account, shape_of(*made)) for pk, account, *made in chosen.values_list(*values)}
    if not keys:
        return {}
    accounts, shapes = zip(*set(keys.values()), strict=True)
    rows = UsualTimes.objects.filter(account__in=set(accounts), shape__in=set(shapes))
    usual = {(one.account_id, one.shape): one for one in rows}
    return {pk: usual[key] for pk, key in keys.items() if key in usual}
