"""Fingerprints by which an unchanged answer is recognized."""

import hashlib
import json
import re
from dataclasses import replace
from typing import Any, TypeVar

from providers.core.types import RemoteInput, RemoteJob, RemoteOutput
from providers.http.redaction import REDACTED
from providers.parsing.urls import strip_query

# The query of a signed URL: some providers sign anew for each answer.
_SIGNED_QUERY = re.compile(rf"\?[^\s\"?]*{REDACTED}[^\s\"]*")

Signed = TypeVar("Signed", RemoteInput, RemoteOutput)


def digest(remote: RemoteJob) -> str:
    """Fingerprint of what an answer tells, 32 hex digits.

    What signs an address is left out, its time with it: some providers sign anew for each
    answer, and a new signature alone is no change worth a write.
    """
    plain = replace(
        remote,
        raw=None,
        is_partial=False,
        input=_unsigned(remote.input),
        outputs=tuple(replace(_unsigned(output), expires_at=None) for output in remote.outputs),
    )
    return _fingerprint(repr(plain))


def body_digest(raw: Any) -> str:
    """Fingerprint of a redacted payload, 32 hex digits, without the signatures of its URLs."""
    return _fingerprint(_SIGNED_QUERY.sub("", json.dumps(raw, separators=(",", ":"))))


def _fingerprint(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=16).hexdigest()


def _unsigned(part: Signed) -> Signed:
    if part.url is None or part.secret_url is None:
        return part
    return replace(part, url=strip_query(part.url), secret_url=None)
