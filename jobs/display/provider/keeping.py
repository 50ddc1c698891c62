"""Until when a provider keeps a job and its files, as far as that is known."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.models import Job, Output


@dataclass(frozen=True, slots=True)
class Keeping:
    """`job_until`: about when the provider forgets the job, counted from its creation; `days` is
    the provider's rule. `links_until`: when the first link to one of its outputs expires.
    """

    job_until: datetime | None = None
    is_over: bool = False
    days: int | None = None
    links_until: datetime | None = None


def keeping_of(job: Job, outputs: Iterable[Output], now: datetime) -> Keeping:
    """Nothing for a job that has not ended, or is gone already."""
    days = job.account.adapter_class.history_days
    if not job.is_terminal or job.remote_id is None or job.gone_at is not None:
        return Keeping()
    until = None if days is None else _after(job.created_at or job.sort_at, days)
    ends = (output.expires_at for output in outputs)
    links_until = min((at for at in ends if at is not None and at > now), default=None)
    return Keeping(until, until is not None and until <= now, days, links_until)


def _after(at: datetime, days: int) -> datetime | None:
    try:
        return at + timedelta(days=days)
    except OverflowError:
        return None
