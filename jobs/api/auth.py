"""Who calls: bearer tokens, their scope, and how often one may call."""

import time
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from ninja.security.http import HttpAuthBase
from ninja.throttling import BaseThrottle
from redis.exceptions import RedisError

from jobs.api.errors import ApiError
from organizations.models import ApiToken

# Far above what a script needs, and what stops one that loops from taking the board down
REQUESTS_PER_MINUTE = 6_000


class ApiRequest(HttpRequest):
    """A request that TokenAuth has let in."""

    auth: ApiToken


class TokenAuth(HttpAuthBase):
    """`Authorization: Bearer TOKEN`; the token becomes `request.auth`, its organization loaded."""

    openapi_scheme = "bearer"

    def __init__(self, *, to_operate: bool = False) -> None:
        super().__init__()
        self.to_operate = to_operate

    def __call__(self, request: HttpRequest) -> ApiToken | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = ApiToken.authenticate(text.strip())
        if token and self.to_operate and not token.can_operate:
            raise ApiError(
                403, "forbidden", "This token can only read; use one with the operate scope."
            )
        return token


class TokenThrottle(BaseThrottle):
    """REQUESTS_PER_MINUTE per token, counted in the cache: per process without Redis."""

    def allow_request(self, request: Any) -> bool:
        key = f"api-requests-{request.auth.pk}-{int(time.time()) // 60}"
        try:
            cache.add(key, 0, timeout=120)
            return cache.incr(key) <= REQUESTS_PER_MINUTE
        except (RedisError, ValueError):
            # a cache that is down, or forgot the key in between, must not close the API
            return True

    def wait(self) -> float:
        return 60 - time.time() % 60
