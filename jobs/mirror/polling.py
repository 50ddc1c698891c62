"""When unfinished jobs were confirmed, and when they are to be confirmed again."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from jobs.models import Job, JobPoll, ProviderAccount
from providers.core.status import JobStatus


def poll_interval(job: Job, now: datetime, smallest_s: int) -> timedelta:
    """How long an unfinished job may stay unconfirmed: seldom what has not moved for long."""
    if job.status == JobStatus.UNKNOWN:
        return timedelta(minutes=5)
    age = now - job.sort_at
    if age < timedelta(minutes=2) or (job.progress or 0) >= 90:
        return timedelta(seconds=smallest_s)
    if job.status == JobStatus.RUNNING:
        return timedelta(seconds=max(smallest_s, 10))
    return timedelta(seconds=max(smallest_s, 60 if age > timedelta(hours=1) else 15))


def add_polls(account: ProviderAccount, jobs: Iterable[Job], observed_at: datetime) -> None:
    """Have jobs that were seen unfinished confirmed from now on. Their rows have to be locked."""
    polls = _build_polls(account, jobs, observed_at)
    JobPoll.objects.bulk_create(polls, ignore_conflicts=True)
    _confirm(polls, observed_at)


def confirm(account: ProviderAccount, jobs: Iterable[Job], observed_at: datetime) -> None:
    """Record that the provider still reports what we know of jobs that have a poll.

    None is added: that of a job which another worker has just seen end must stay away.
    """
    _confirm(_build_polls(account, jobs, observed_at), observed_at)


def _confirm(polls: list[JobPoll], observed_at: datetime) -> None:
    # another worker may have confirmed them later meanwhile
    earlier = JobPoll.objects.filter(confirmed_at__lte=observed_at)
    earlier.bulk_update(polls, ["confirmed_at", "next_at"])


def _build_polls(
    account: ProviderAccount, jobs: Iterable[Job], observed_at: datetime
) -> list[JobPoll]:
    smallest_s = account.adapter_class.min_poll_interval_s
    return [
        JobPoll(
            job=job,
            account=account,
            confirmed_at=observed_at,
            next_at=observed_at + poll_interval(job, observed_at, smallest_s),
        )
        for job in jobs
    ]
