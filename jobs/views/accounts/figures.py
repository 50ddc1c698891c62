"""What pages count of accounts: the jobs that they work on, and the requests of the last minute."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count

from jobs.accounts.budget import RequestUsage, read_usage
from jobs.models import Job, ProviderAccount
from providers.core.status import JobStatus


@dataclass(frozen=True, slots=True)
class Figures:
    """`requests` is None where the provider has no limit."""

    queued: int
    running: int
    requests: RequestUsage | None


def read_figures(accounts: Sequence[ProviderAccount], now: datetime) -> dict[int, Figures]:
    """By account, in two queries. The first reads the index of active jobs, which are few."""
    active = Job.objects.filter(
        organization__in={account.organization_id for account in accounts},
        account__in=accounts,
        status__in=[JobStatus.QUEUED, JobStatus.RUNNING],
        is_active=True,
    )
    rows = active.values_list("account", "status").annotate(jobs=Count("pk")).order_by()
    counts = Counter({(pk, status): jobs for pk, status, jobs in rows})
    usage = read_usage(accounts, now)
    return {
        account.pk: Figures(
            counts[account.pk, JobStatus.QUEUED],
            counts[account.pk, JobStatus.RUNNING],
            usage.get(account.pk),
        )
        for account in accounts
    }
