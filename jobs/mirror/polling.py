"""How often an unfinished job is confirmed."""

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


def polls(account: ProviderAccount, jobs: list[Job], observed_at: datetime) -> list[JobPoll]:
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
