"""The lease under which one pass, and no other, works on an account."""

import time

from jobs.models import ProviderAccount
from jobs.models.account import LEASE
from jobs.workqueue import leases

POLL_S = 0.5


def take_account(account_id: int, *, wait: bool) -> ProviderAccount | None:
    """None when another pass holds the account; `wait` until its lease has run out."""
    give_up_at = time.monotonic() + LEASE.total_seconds() + 5
    while True:
        account = leases.take(ProviderAccount.objects.all(), account_id, LEASE)
        if account is not None or not wait or time.monotonic() > give_up_at:
            return account
        time.sleep(POLL_S)
