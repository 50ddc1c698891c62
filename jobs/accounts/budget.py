"""The requests that an account may still send this minute, reserved in the database."""

import threading
from collections import Counter
from collections.abc import Mapping

from django.utils import timezone

from jobs.models import ProviderAccount, RateBudget
from providers.core.errors import BudgetExhausted


class Budget:
    """Hands requests out to the threads of one pass.

    Only the thread that made it asks the database; the others live on what `reserve_ahead` took
    for them, so that a pool of readers opens no connections.
    """

    def __init__(self, account: ProviderAccount) -> None:
        self._account_id = account.pk
        override = account.option_int("requests_per_minute", 0)
        self._limits: Mapping[str, int] = {
            limit.bucket: override or limit.per_minute
            for limit in account.adapter_class.rate_limits
        }
        self._owner = threading.get_ident()
        self._lock = threading.Lock()
        self._aside: Counter[str] = Counter()

    def reserve(self, bucket: str) -> None:
        """Take one request, before it is sent. Raises BudgetExhausted with the wait."""
        if bucket not in self._limits:
            return
        with self._lock:
            if self._aside[bucket] > 0:
                self._aside[bucket] -= 1
                return
        if threading.get_ident() != self._owner:
            raise BudgetExhausted("The account's requests for this minute are used up.", wait_s=1)
        self._ask(bucket)

    def reserve_ahead(self, buckets: tuple[str, ...]) -> None:
        """Take one request of each kind for a reader in another thread. Raises as `reserve`."""
        for bucket in buckets:
            if bucket in self._limits:
                self._ask(bucket)
                with self._lock:
                    self._aside[bucket] += 1

    def _ask(self, bucket: str) -> None:
        wait_s = RateBudget.reserve(self._account_id, bucket, self._limits[bucket], timezone.now())
        if wait_s:
            raise BudgetExhausted(
                "The account's requests for this minute are used up.", wait_s=wait_s
            )
