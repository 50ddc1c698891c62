"""What a pass does when it meets a limit, the provider's or ours."""

import time
from collections.abc import Callable
from typing import Any, TypeVar

from providers.core.errors import BudgetExhausted, RateLimited

# How long to wait where a limit does not say how long it lasts.
LIMIT_WAIT_S = 60.0

# How long the foreground waits for one answer: the longest wait that a provider may ask for. It
# holds the account meanwhile, and at night the accounts after it.
PATIENCE_S = 3600.0

# A longer wait is slept in parts, between which the lease is renewed.
SLEEP_S = 60.0

T = TypeVar("T")


class LimitWaiter:
    """In the foreground a pass waits until a limit is over; in the background it gives way."""

    def __init__(self, renew: Callable[[], None], *, foreground: bool) -> None:
        self.foreground = foreground
        self._renew = renew
        self._waited_s = 0.0

    def retry_on_limit(self, call: Callable[..., T], *args: Any) -> T:
        """Call until no limit is met. `call` must start over each time: no iterator's next."""
        while True:
            try:
                return call(*args)
            except (BudgetExhausted, RateLimited) as limit:
                self.wait_out(limit)

    def wait_out(self, limit: BudgetExhausted | RateLimited) -> None:
        """Wait, or raise `limit` in the background and once too much was waited in vain."""
        if not self.foreground or self._waited_s >= PATIENCE_S:
            raise limit
        self._renew()
        wait_s = min(limit.wait_s or 5, SLEEP_S)
        time.sleep(wait_s)
        self._waited_s += wait_s

    def note_answer(self) -> None:
        """What was waited before was not in vain."""
        self._waited_s = 0.0


def limit_wait_s(limit: BudgetExhausted | RateLimited) -> float:
    """How long the account is to be left alone."""
    return limit.wait_s or LIMIT_WAIT_S
