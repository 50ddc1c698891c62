"""The applications of the two accounts, and the tokens that were given to them.

Tokens are forgotten at a restart, but for the ready one of `keys.json`: a client then meets the
same 403 as with one that has ended.
"""

import math
import secrets
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

LIFE_S = 7200
EVERY_SCOPE = frozenset(
    {
        *("me", "autograph", "mediahub", "mediahub_read", "mediahub_write"),
        *("mediahub_submit_jobs", "mediahub_download_files"),
    }
)


@dataclass(frozen=True, slots=True)
class Application:
    account: str
    secret: str
    scopes: frozenset[str] = EVERY_SCOPE


@dataclass(frozen=True, slots=True)
class Token:
    account: str
    scopes: frozenset[str]
    ends_at: float

    def allows(self, scopes: Iterable[str]) -> bool:
        """Whether one of the scopes is there; `mediahub` includes reading and writing."""
        held = self.scopes
        if "mediahub" in held:
            held |= {"mediahub_read", "mediahub_write"}
        return bool(held & set(scopes))


class Tokens:
    def __init__(
        self, applications: Mapping[str, Application], tokens: Mapping[str, str] | None = None
    ) -> None:
        """`tokens` were given to accounts before, and do not end."""
        self._applications = applications
        self._lock = threading.Lock()
        self._tokens = {
            token: Token(account, EVERY_SCOPE, math.inf)
            for token, account in (tokens or {}).items()
        }

    def issue(self, form: Mapping[str, str]) -> tuple[str, int] | None:
        """A token and its life in seconds; None for a wrong id, secret or scope."""
        application = self._applications.get(form.get("client_id", ""))
        given = form.get("client_secret", "").encode()
        if application is None or not secrets.compare_digest(given, application.secret.encode()):
            return None
        asked = frozenset(filter(None, form.get("scope", "").split(",")))
        if not asked <= application.scopes:
            return None
        requested_s = form.get("expires_in", "")
        life_s = int(requested_s) if requested_s.isdecimal() and len(requested_s) < 6 else LIFE_S
        token = secrets.token_urlsafe(48)
        scopes = asked or application.scopes
        with self._lock:
            self._tokens[token] = Token(application.account, scopes, time.monotonic() + life_s)
        return token, life_s

    def find(self, authorization: str) -> Token | None:
        scheme, _, text = authorization.partition(" ")
        with self._lock:
            found = self._tokens.get(text.strip()) if scheme.lower() == "bearer" else None
        return found if found and time.monotonic() < found.ends_at else None

    def revoke_all(self) -> None:
        with self._lock:
            self._tokens.clear()
