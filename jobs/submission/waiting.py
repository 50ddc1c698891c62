"""Jobs that wait here, since their account has as many unfinished jobs as it may have."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import F

from jobs.models import Job, JobAction, Submission
from jobs.models.work import precedence
from jobs.workqueue.in_flight import (
    WAITING_RETRIES,
    WAITING_SUBMISSIONS,
    count_in_flight,
    read_caps,
    read_place,
)
from providers.core.status import JobStatus

# What each day of waiting adds to a job's priority, so that nothing waits forever behind what
# comes later
PRIORITY_PER_DAY = 10
DAY = timedelta(days=1)
# beyond it a job has waited for years
HIGHEST = 30_000
BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Waiting:
    """`place` is that in the account's queue, 1 for the next one; None where it was not read."""

    running: int
    cap: int
    place: int | None = None

    def __str__(self) -> str:
        jobs = "job is" if self.cap == 1 else "jobs are"
        text = f"Waiting here: {self.running} of {self.cap} {jobs} running at this account."
        return text if self.place is None else f"{text} Number {self.place:,} in the queue."


def find_waiting(jobs: Collection[Job], now: datetime) -> dict[int, Waiting]:
    """Those of `jobs` that wait for a place at their account, by id.

    No query where none is being submitted, and one where their accounts have no cap.
    """
    submitting = {job.pk: job.account_id for job in jobs if job.status == JobStatus.SUBMITTING}
    caps = read_caps(set(submitting.values())) if submitting else {}
    if not caps:
        return {}
    running = count_in_flight(caps)
    full = {pk for pk, cap in caps.items() if running[pk] >= cap}
    asked = [pk for pk, account in submitting.items() if account in full]
    if not asked:
        return {}
    submissions = Submission.objects.due(now).filter(WAITING_SUBMISSIONS, pk__in=asked)
    retries = JobAction.objects.due(now).filter(WAITING_RETRIES, job__in=asked)
    waiting = {*submissions.values_list("pk", flat=True), *retries.values_list("job", flat=True)}
    return {
        pk: Waiting(running[submitting[pk]], caps[submitting[pk]]) for pk in asked if pk in waiting
    }


def note_waiting(jobs: Collection[Job], now: datetime) -> None:
    """Keep at each job that waits why it does, as `waiting`: no column, but what rows show."""
    for job in jobs:
        job.__dict__["waiting"] = None
    found = find_waiting(jobs, now)
    for job in jobs:
        job.__dict__["waiting"] = found.get(job.pk)


def describe_waiting(job: Job, now: datetime) -> Waiting | None:
    """Why `job` waits here, with its place in the queue; None where it does not."""
    found = find_waiting([job], now).get(job.pk)
    submission = Submission.objects.filter(pk=job.pk).first() if found else None
    if found is None or submission is None:
        return found
    return Waiting(found.running, found.cap, read_place(submission))


def raise_precedence(now: datetime) -> None:
    """Let what has waited for days overtake what came later. Doing it twice changes nothing."""
    old = Submission.objects.filter(WAITING_SUBMISSIONS, created_at__lte=now - DAY)
    last = 0
    while rows := list(
        old.filter(pk__gt=last)
        .annotate(priority=F("job__priority"))
        .order_by("pk")
        .only("precedence", "created_at")[:BATCH]
    ):
        for row in rows:
            days = (now - row.created_at) // DAY
            # an odd one is that of a person's own submission
            asked = precedence(row.priority, is_bulk=row.precedence % 2 == 0)
            row.precedence = min(asked + 2 * PRIORITY_PER_DAY * days, HIGHEST)
        Submission.objects.bulk_update(rows, ["precedence"])
        last = rows[-1].pk
