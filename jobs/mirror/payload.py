"""One job as one call reported it, ready to be compared with what we know."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

from providers.core.types import ListedJob, RemoteInput, RemoteJob, RemoteOutput
from providers.core.version import reading_version
from providers.http.redaction import REDACTED, is_secret_param
from providers.parsing.text import make_storable_id
from providers.parsing.urls import strip_query

# The query of a signed URL: some providers sign it again for each answer.
_SIGNED_QUERY = re.compile(rf"\?[^\s\"?]*{REDACTED}[^\s\"]*")

_QUERY = re.compile(r"\?[^\s\"]*")
_PARAM_NAME = re.compile(r"[?&;]([^=&;?]{1,64})=")

Signed = TypeVar("Signed", RemoteInput, RemoteOutput)


class Shape(StrEnum):
    """The calls that payloads come from: of an unchanged job each reports other things."""

    LIST = "list"
    UNFINISHED = "unfinished"
    # a list's payload, completed with the progress
    PROGRESS = "progress"
    # also what is read after a webhook
    DETAIL = "detail"


@dataclass(frozen=True)
class Payload:
    """A job of a list is read only where it is asked for: one that is recognized never is.

    Without a `shape` it is never recognized.
    """

    source: RemoteJob | ListedJob
    shape: Shape | None = None

    @cached_property
    def remote_id(self) -> str:
        return make_storable_id(self.source.remote_id)

    @cached_property
    def job(self) -> RemoteJob:
        """With ids that their columns hold."""
        return _with_storable_ids(self.source.read())

    @cached_property
    def raw_digest(self) -> str:
        return _digest_raw(self.job.raw)

    @cached_property
    def digests(self) -> dict[str, str]:
        """What the next payload like this one is recognized by, by shape."""
        if self.shape is None:
            return {}
        if isinstance(self.source, ListedJob):
            return {self.shape: _digest_original(self.source.payload)}
        return {self.shape: _digest_job(self.job, self.raw_digest)}

    def is_among(self, known: Mapping[str, str]) -> bool:
        """Whether it is equal to one of those that `known` are the digests of."""
        return bool(self.digests) and self.digests.items() <= known.items()


def _with_storable_ids(remote: RemoteJob) -> RemoteJob:
    """The same job with ids that their columns hold, and one output an id: both were seen."""
    outputs: dict[str, RemoteOutput] = {}
    for output in remote.outputs:
        remote_id, slot = make_storable_id(output.remote_id), make_storable_id(output.slot)
        preset_id = output.preset_id and make_storable_id(output.preset_id)
        if remote_id in outputs and slot:
            remote_id = slot  # two places with one file
        outputs.setdefault(
            remote_id, replace(output, remote_id=remote_id, slot=slot, preset_id=preset_id)
        )
    return replace(
        remote,
        remote_id=make_storable_id(remote.remote_id),
        key=remote.key and make_storable_id(remote.key),
        outputs=tuple(outputs.values()),
    )


def _digest_job(remote: RemoteJob, raw_digest: str) -> str:
    """Fingerprint of a payload and of what we read from it, 32 hex digits.

    Code that reads more, or otherwise, makes another one of the same payload. What signs a URL is
    left out, its expiry with it: some providers sign again for each answer, and a new signature
    alone is no change worth a write.
    """
    plain = replace(
        remote,
        raw=None,
        input=_unsigned(remote.input),
        outputs=tuple(replace(_unsigned(output), expires_at=None) for output in remote.outputs),
    )
    return _fingerprint(f"{plain!r} {raw_digest}")


def _digest_original(payload: Any) -> str:
    """Fingerprint of a payload that was not read, 32 hex digits, without signatures of URLs.

    Code that reads more, or otherwise, makes another one of the same payload.
    """
    text = json.dumps(payload, separators=(",", ":"), ensure_ascii=False)
    return _fingerprint(f"{reading_version()} {_QUERY.sub(_keep_unsigned, text)}")


def _keep_unsigned(query: re.Match[str]) -> str:
    is_signed = any(map(is_secret_param, _PARAM_NAME.findall(query[0])))
    return "" if is_signed else query[0]


def _digest_raw(raw: Any) -> str:
    """Fingerprint of a redacted payload, 32 hex digits, without the signatures of its URLs."""
    return _fingerprint(_SIGNED_QUERY.sub("", json.dumps(raw, separators=(",", ":"))))


def _fingerprint(text: str) -> str:
    return hashlib.blake2b(text.encode(errors="replace"), digest_size=16).hexdigest()


def _unsigned(part: Signed) -> Signed:
    if part.url is None or part.secret_url is None:
        return part
    return replace(part, url=strip_query(part.url), secret_url=None)
