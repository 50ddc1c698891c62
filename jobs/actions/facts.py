"""What the actions of jobs depend on beside the jobs' own rows, read for a whole list at once."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from jobs.models import Job, Submission, SubmissionState
from jobs.models.submission import SubmissionQuerySet
from jobs.query.search.matches import are_among
from providers.core.status import JobStatus


@dataclass(frozen=True, slots=True)
class Facts:
    """`newest` is the current attempt where the job is not; `retry` its unfinished retry's id."""

    is_unsent: bool
    is_submitted_here: bool
    newest: Job | None
    retry: int | None = None


def read_facts(jobs: Collection[Job], *, with_retries: bool = True) -> dict[int, Facts]:
    """The facts of each job, by its id.

    However many jobs, that is a query for each generation of retries, and at most one for each
    other fact, where there is a job that it matters to.
    """
    sent_by_us = _find_submitted_here(jobs)
    waiting = [job.pk for job in jobs if job.status == JobStatus.SUBMITTING]
    unsent_ids = set(unsent(waiting).values_list("pk", flat=True)) if waiting else set()
    newest = _find_newest([job for job in jobs if not job.is_newest])
    retries = find_unfinished_retries(job.pk for job in jobs) if with_retries else {}
    return {
        job.pk: Facts(
            is_unsent=job.pk in unsent_ids,
            is_submitted_here=job.pk in sent_by_us,
            newest=newest.get((job.account_id, job.remote_id)),
            retry=retries.get(job.pk),
        )
        for job in jobs
    }


def unsent(job_ids: Iterable[int]) -> SubmissionQuerySet:
    """The submissions of these jobs that no worker holds and of which nothing was sent."""
    return Submission.objects.filter(
        pk__in=list(job_ids), state=SubmissionState.DUE, leased_until__isnull=True
    )


def _find_submitted_here(jobs: Iterable[Job]) -> set[int]:
    # lists leave the request out: then the database says whether there is one
    unread = {job.pk for job in jobs if "request" in job.get_deferred_fields()}
    found = {job.pk for job in jobs if job.pk not in unread and job.request is not None}
    if unread:
        stored = Job.objects.filter(pk__in=unread, request__isnull=False)
        found.update(stored.values_list("pk", flat=True))
    return found


def _find_newest(replaced: Collection[Job]) -> dict[tuple[int, str | None], Job]:
    if not replaced:
        return {}
    rows = Job.objects.filter(
        account__in={job.account_id for job in replaced},
        remote_id__in={job.remote_id for job in replaced},
        is_newest=True,
    ).only("account_id", "remote_id", "attempt")
    return {(row.account_id, row.remote_id): row for row in rows}


def find_unfinished_retries(job_ids: Iterable[int]) -> dict[int, int]:
    """The newest unfinished retry of each job, or retry of a retry, where there is one."""
    parents: dict[int, int] = {}
    unfinished: set[int] = set()
    searched: set[int] = set()
    generation = set(job_ids)
    while generation:
        rows = Job.objects.filter(are_among(sorted(generation), "retry_of_id"))
        found = list(rows.only("retry_of_id", "status", "gone_at"))
        parents |= {row.pk: row.retry_of_id for row in found if row.retry_of_id}
        unfinished |= {row.pk for row in found if not row.is_terminal and row.gone_at is None}
        searched |= generation
        generation = {row.pk for row in found} - searched
    newest: dict[int, int] = {}
    for retry in sorted(unfinished):
        ancestor, seen = parents.get(retry), {retry}
        while ancestor is not None and ancestor not in seen:
            seen.add(ancestor)
            newest[ancestor] = retry
            ancestor = parents.get(ancestor)
    return newest
