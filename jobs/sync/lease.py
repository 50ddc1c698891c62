"""The lease under which one pass, and no other, works on an account."""

import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils import timezone

from jobs.models import ProviderAccount
from jobs.models.account import LEASE


class LeaseLost(Exception):
    """The account was saved meanwhile, or another pass took it over: write nothing more."""


@dataclass
class AccountLease:
    account_id: int
    token: UUID

    @classmethod
    def claim(cls, account_id: int, *, wait: bool) -> "AccountLease | None":
        """None when another pass holds the account; `wait` until its lease has run out."""
        give_up_at = time.monotonic() + LEASE.total_seconds() + 5
        while True:
            token = ProviderAccount.objects.claim(account_id, timezone.now())
            if token is not None:
                return cls(account_id, token)
            if not wait or time.monotonic() > give_up_at:
                return None
            time.sleep(0.5)

    def renew(self, **values: Any) -> None:
        """Prolong the lease and write `values` with it. Raises LeaseLost, and writes nothing."""
        if not self._update(leased_until=timezone.now() + LEASE, **values):
            raise LeaseLost

    def release(self, **values: Any) -> bool:
        """End the lease and write `values` with it; False, and nothing written, when it is lost."""
        return self._update(lease=None, leased_until=None, **values)

    def _update(self, **values: Any) -> bool:
        held = ProviderAccount.objects.filter(pk=self.account_id, lease=self.token)
        return bool(held.update(**values))
