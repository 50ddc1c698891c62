"""What a job is compared with: the job that it retries, and the last success like it."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Value, When
from django.db.models.lookups import LessThanOrEqual

from jobs.display.settings_diff import Change, changes
from jobs.models import Job
from jobs.query.paging.orderings import Ordering
from providers.core.status import JobStatus

# Of so many successes before it, those that were submitted here are looked at: an account may have
# a million jobs of which none was.
SEARCHED = 200
# What is another one for each job, and says nothing about why one failed
NO_SETTINGS = ("input", "metadata")


@dataclass(frozen=True, slots=True)
class Comparison:
    """What is set otherwise in a job than in `other`."""

    other: Job
    is_parent: bool
    changes: list[Change]


def compare_settings(job: Job) -> list[Comparison]:
    """With its parent and, where it ended and not well, with the last success: as far as settings
    are known, which they are of jobs that were submitted here. One query at most.
    """
    if not job.request:
        return []
    found = []
    is_good = job.status == JobStatus.SUCCEEDED and not job.is_suspect
    success = last_success_like(job) if job.is_terminal and not is_good else None
    if success is not None:
        found.append(Comparison(success, False, changes(_settings(success), _settings(job))))
    if job.retry_of is not None and job.retry_of.request:
        found.append(Comparison(job.retry_of, True, changes(job.retry_of.request, job.request)))
    return found


def last_success_like(job: Job) -> Job | None:
    """The last success before `job` at its account that was submitted here, preferably one with as
    many outputs. Only its settings are loaded.
    """
    ended = Ordering("finished").expression
    successes = Job.objects.filter(account=job.account_id, status=JobStatus.SUCCEEDED)
    before = successes.filter(LessThanOrEqual(ended, job.ended_at or job.sort_at))
    newest = before.order_by(ended.desc(), "-id").values("pk")[:SEARCHED]
    likeness = Case(When(outputs_total=job.outputs_total, then=Value(0)), default=Value(1))
    return (
        Job.objects.filter(pk__in=newest, request__isnull=False, is_test=job.is_test)
        .order_by(likeness, ended.desc(), "-id")
        .only("pk", "request")
        .first()
    )


def _settings(job: Job) -> Any:
    # whatever is stored: the page shows it
    if not isinstance(job.request, dict):
        return job.request
    return {name: value for name, value in job.request.items() if name not in NO_SETTINGS}
