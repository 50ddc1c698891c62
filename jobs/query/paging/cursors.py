"""Cursors as callers have them: signed, and good for the list alone that they were made for.

A cursor holds a place between two rows. One that was cut short or made up would point elsewhere,
and one of another list or other filters would leave rows out: both are refused.
"""

import base64
import hashlib

from django.core.signing import BadSignature, Signer

NOT_VALID = "This cursor is not valid; start from the first page."
OF_ANOTHER_LIST = (
    "This cursor belongs to another list, or to other filters; start from the first page."
)


def seal(place: str, scope: str) -> str:
    """The cursor of `place` in the list that `scope` describes."""
    text = f"{_digest(scope)} {place}"
    return _signer().sign(base64.urlsafe_b64encode(text.encode()).decode().rstrip("="))


def unseal(cursor: str, scope: str) -> str:
    """The place that was sealed. Raises ValueError with a sentence."""
    try:
        encoded = _signer().unsign(cursor)
        text = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode()
    except (BadSignature, ValueError):
        raise ValueError(NOT_VALID) from None
    known, _, place = text.partition(" ")
    if known != _digest(scope):
        raise ValueError(OF_ANOTHER_LIST)
    return place


def _signer() -> Signer:
    return Signer(salt="jobs.query.paging.cursors", sep=".")


def _digest(scope: str) -> str:
    return hashlib.blake2b(scope.encode(errors="replace"), digest_size=8).hexdigest()
