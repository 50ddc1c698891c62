"""What pages count of accounts: the jobs that they work on, and the requests of the last minute."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from jobs.accounts.budget import RequestUsage, read_usage
from jobs.models import ProviderAccount
from jobs.query.counts import count_active


@dataclass(frozen=True, slots=True)
class Figures:
    """`requests` is None where the provider has no limit."""

    queued: int
    running: int
    requests: RequestUsage | None


def read_figures(accounts: Sequence[ProviderAccount], now: datetime) -> dict[int, Figures]:
    """By account, in two queries."""
    active = count_active(accounts)
    usage = read_usage(accounts, now)
    return {pk: Figures(jobs.queued, jobs.running, usage.get(pk)) for pk, jobs in active.items()}
