"""Who calls: by the JSON web token in Authorization, which has no scheme before it."""

from collections.abc import Mapping
from dataclasses import dataclass

import jwt

# HMAC's own filling: PyJWT warns of shorter keys, and one may be planted.
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Owner:
    account: str
    secret: str


def identify(token: str, owners: Mapping[str, Owner]) -> str | None:
    """The account whose secret signed `token` with HS256; `owners` are by API key.

    An end is checked where there is one: the provider's own samples sign without.
    """
    try:
        claimed = jwt.decode(token, options={"verify_signature": False}).get("apikey")
        owner = owners.get(claimed) if isinstance(claimed, str) else None
        if owner is None:
            return None
        key = owner.secret.encode().ljust(KEY_BYTES, b"\0")
        jwt.decode(token, key, algorithms=["HS256"], options={"verify_aud": False})
    except jwt.PyJWTError:
        return None
    return owner.account
