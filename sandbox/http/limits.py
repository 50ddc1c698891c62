"""Request quotas per minute, in windows that begin with the first request."""

import math
import threading
from collections.abc import Callable, Hashable

BASE_QUOTA = 60  # a minute; what `Options.rate_limit` replaces
WINDOW_S = 60


class Limiter:
    """`per_minute` replaces a quota of 60 and scales the others; 0 lifts them all."""

    def __init__(self, per_minute: int, now: Callable[[], float]) -> None:
        self._factor = per_minute / BASE_QUOTA
        self._now = now
        self._lock = threading.Lock()
        self._windows: dict[Hashable, tuple[float, int]] = {}

    def take(self, key: Hashable, quota: int) -> tuple[int, int]:
        """Count one request: (requests left, 0), or (0, seconds to wait) when refused."""
        if not self._factor:
            return quota, 0
        quota = max(1, round(quota * self._factor))
        now = self._now()
        with self._lock:
            started, used = self._windows.get(key, (now, 0))
            if now - started >= WINDOW_S:
                started, used = now, 0
            if used >= quota:
                return 0, max(1, math.ceil(started + WINDOW_S - now))
            self._windows[key] = (started, used + 1)
            return quota - used - 1, 0
