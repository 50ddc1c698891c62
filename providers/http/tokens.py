"""The access tokens that providers gave to this process for an account's credentials.

Adapters keep nothing from call to call, and this is the one exception: an adapter lives for one
pass or one click, a token for hours. Without it the secret would travel every few seconds, and
each pass would cost one request more. A token is in memory alone, under a digest of what it was
given for, so that no other account and no former secret leads to it.
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

# A request may be on its way when the token ends.
RENEW_BEFORE_S = 30.0


@dataclass(frozen=True, slots=True)
class Token:
    """`ends_at` is a time of the store's clock."""

    value: str = field(repr=False)
    ends_at: float


class TokenStore:
    """Shared by all threads of the process: of those that miss a token, one fetches it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._lock = threading.Lock()
        self._fetching: dict[str, threading.Lock] = {}
        self._tokens: dict[str, Token] = {}

    def get(self, owner: str, fetch: Callable[[], Token], refused: str | None = None) -> str:
        """Return a token that is good for a while yet. What `fetch` raises passes through.

        `refused` is a token that the provider did not take: it is not returned again, unless
        it comes once more.
        """
        with self._lock:
            fetching = self._fetching.setdefault(owner, threading.Lock())
        with fetching:
            token = self._tokens.get(owner)
            if token is None or token.value == refused or self._is_ending(token):
                token = fetch()
                self._keep(owner, token)
            return token.value

    def clear(self) -> None:
        """Forget all tokens."""
        with self._lock:
            self._tokens.clear()

    def _keep(self, owner: str, token: Token) -> None:
        with self._lock:
            ended = [name for name, held in self._tokens.items() if self._is_ending(held)]
            for name in ended:
                del self._tokens[name]
            self._tokens[owner] = token

    def _is_ending(self, token: Token) -> bool:
        return self.clock() >= token.ends_at - RENEW_BEFORE_S


TOKENS = TokenStore()


def owner_of(base_url: str, client_id: str, client_secret: str) -> str:
    """Name what a token was given for, without revealing it."""
    given = json.dumps([base_url.rstrip("/"), client_id, client_secret])
    return hashlib.blake2b(given.encode(), digest_size=32).hexdigest()
