"""How often a token may call."""

import time
from dataclasses import dataclass

from django.core.cache import cache
from redis.exceptions import RedisError

from organizations.models import ApiToken

# Far above what a script needs, and what stops one that loops from taking the board down
REQUESTS_PER_MINUTE = 6_000
WINDOW_S = 60


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of the current minute, as reported to a script."""

    used: int
    # in seconds since 1970
    resets_at: int

    @property
    def is_exceeded(self) -> bool:
        return self.used > REQUESTS_PER_MINUTE

    def seconds_left(self) -> int:
        return max(1, self.resets_at - int(time.time()))

    @property
    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(REQUESTS_PER_MINUTE),
            "X-RateLimit-Remaining": str(max(0, REQUESTS_PER_MINUTE - self.used)),
            "X-RateLimit-Reset": str(self.resets_at),
        }


def full_allowance() -> Allowance:
    """Of a call that is not counted."""
    return Allowance(0, _window_end())


def count_call(token: ApiToken) -> Allowance:
    """Counted in the cache: for each process without Redis."""
    ends_at = _window_end()
    key = f"api-requests-{token.pk}-{ends_at}"
    try:
        cache.add(key, 0, timeout=2 * WINDOW_S)
        return Allowance(cache.incr(key), ends_at)
    except (RedisError, ValueError):
        # a cache that is down, or forgot the key in between, must not close the API
        return Allowance(0, ends_at)


def _window_end() -> int:
    return (int(time.time()) // WINDOW_S + 1) * WINDOW_S
