"""What the parts of one pass share."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from jobs.accounts.budget import Budget
from jobs.mirror import writer
from jobs.mirror.batch import Applied
from jobs.mirror.payload import Shape
from jobs.models import EventSource, ProviderAccount
from jobs.models.account import LEASE
from jobs.sync.rate_limits import LimitWaiter
from jobs.sync.report import Report
from jobs.workqueue import leases
from providers.core.contract import Provider
from providers.core.types import ListedJob, RemoteJob


@dataclass
class PassContext:
    """One pass over one account: its API, and its way to write what was read."""

    account: ProviderAccount
    adapter: Provider
    budget: Budget
    limits: LimitWaiter
    report: Report
    started_at: datetime = field(default_factory=timezone.now)
    # whether the provider answered anything but errors
    has_read: bool = False
    # why the list cannot be used, where single jobs are read without it
    list_error: str = ""

    def apply(
        self,
        jobs: Sequence[RemoteJob | ListedJob],
        observed_at: datetime,
        shape: Shape,
        source: EventSource = EventSource.POLL,
    ) -> Applied:
        """Write what was read, while the lease is held. Raises LeaseLost."""
        self.renew()
        applied = writer.apply(
            self.account, jobs, source=source, observed_at=observed_at, shape=shape
        )
        self.report.count(applied)
        self.has_read = True
        self.limits.note_answer()
        return applied

    def renew(self, **values: Any) -> None:
        """Prolong the lease and keep `values` on the account. Raises LeaseLost."""
        leases.renew(self.account, LEASE, **values)
        for name, value in values.items():
            setattr(self.account, name, value)
