"""How long to wait before what failed is tried again."""

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits of `first_s`, twice as long after each further failure, `cap_s` at the most.

    `spread` is the part of a wait by which it varies, so that rows that failed together are not
    tried again together.
    """

    first_s: float
    cap_s: float
    spread: float = 0.0

    def wait_s(self, failures: int) -> float:
        """The wait after that many failures in a row."""
        # the exponent is bounded, since a host may fail for weeks
        wait_s = min(self.first_s * 2.0 ** min(max(failures - 1, 0), 30), self.cap_s)
        vary = random.uniform(1 - self.spread, 1 + self.spread)  # noqa: S311 - guards nothing
        return wait_s * vary
