"""The JSON web token that each request carries, without `Bearer` before it."""

import time
from collections.abc import Mapping

import jwt

from providers.core.errors import AuthRefused

LIFE_S = 600
# A token is made anew this long before its end, so that it outlives the slowest answer.
RENEW_S = 90

# HMAC pads a shorter key with zeros. Doing so beforehand changes no signature, and keeps PyJWT
# from warning about a length that is the provider's choice.
_KEY_BYTES = 32


class Tokens:
    """The account's token: one signed with its key and secret, else the ready one."""

    def __init__(self, credentials: Mapping[str, str]) -> None:
        self._credentials = credentials
        self._made = ""
        self._renew_at = 0.0

    def get(self) -> str:
        """Return a token with at least RENEW_S left. Raises AuthRefused when none can be signed."""
        api_key, secret = (self._credentials.get(name) for name in ("api_key", "secret"))
        if not (api_key and secret):
            return self._credentials.get("token", "")
        now = time.time()
        if not 0 < self._renew_at - now <= LIFE_S - RENEW_S:
            self._made = _sign(api_key, secret, int(now))
            self._renew_at = int(now) + LIFE_S - RENEW_S
        return self._made


def _sign(api_key: str, secret: str, now: int) -> str:
    payload = {"apikey": api_key, "iat": now, "exp": now + LIFE_S}
    key = secret.encode(errors="replace").ljust(_KEY_BYTES, b"\0")
    try:
        return jwt.encode(payload, key, algorithm="HS256")
    except (jwt.PyJWTError, UnicodeError):
        pass  # raised below: the message of a library may quote the key
    raise AuthRefused("No token can be signed with this API key and secret.")
