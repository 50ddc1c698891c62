"""The time of the sandbox: the wall clock for stamps, a scaled one for what only waits."""

import time


class Clock:
    """`scale` makes clock-moved jobs pass faster; 0 holds every job where it is.

    Stamps are never scaled: a client compares them with its own clock.
    """

    def __init__(self, scale: float = 1.0) -> None:
        self.scale = scale
        self._ticked_at = time.monotonic()

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    @property
    def held(self) -> bool:
        return self.scale == 0

    def tick(self) -> float:
        """Scaled seconds since the last tick."""
        before, self._ticked_at = self._ticked_at, time.monotonic()
        return (self._ticked_at - before) * self.scale
