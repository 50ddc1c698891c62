"""Reads a provider's JSON by path and type. Nothing here raises.

A value that is missing, null or empty is None: "not reported". So is one of an unexpected kind,
which is noted as odd, so that a change of the provider's API shows in the log.
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self, TypeVar

from providers.http.redaction import redact, split_url, url_expiry
from providers.parsing.media import read_file_name
from providers.parsing.times import read_duration_ms, read_epoch_ms, read_time
from providers.parsing.urls import parse_url
from providers.parsing.values import (
    MAX_ITEMS,
    TEXT_LENGTH,
    read_bool,
    read_count,
    read_dict,
    read_float,
    read_id,
    read_list,
    read_progress,
    read_text,
)

logger = logging.getLogger(__name__)

# Signatures and security tokens make URLs of some thousand characters.
URL_LENGTH = 8000

T = TypeVar("T")


class OddValues:
    """The shapes of values that could not be read, each logged once for one adapter."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.shapes: set[tuple[str, str]] = set()

    def note(self, path: str, expected: str, value: Any) -> None:
        """Note the value's type, never the value: it may hold a secret."""
        shape = (path, type(value).__name__)
        if shape not in self.shapes:
            self.shapes.add(shape)
            logger.warning("%s: %s is %s, not %s", self.source, path, shape[1], expected)


class PayloadUrl(NamedTuple):
    """A URL to show, and the one that opens where redaction took something away."""

    redacted: str | None = None
    original: str | None = None

    @property
    def web_original(self) -> str | None:
        """The original where a browser can open it."""
        return self.original if parse_url(self.original).is_web else None

    @property
    def expires_at(self) -> datetime | None:
        return url_expiry(self.redacted) if self.redacted else None

    @property
    def file_name(self) -> str | None:
        return read_file_name(self.redacted)


@dataclass(frozen=True, slots=True)
class Body:
    """One object of a payload, beside its redacted copy.

    Everything is read from `redacted`, apart from ids, which are redacted one by one since
    redaction cuts what comes late in a large body, and URLs. `index` is the object's place in its
    list. A path is names joined by dots; of several paths, the first with a readable value counts.
    """

    original: Mapping[str, Any]
    redacted: Mapping[str, Any]
    secrets: tuple[str, ...]
    odd: OddValues
    path: str = ""
    index: int = 0

    @classmethod
    def open(cls, value: Any, secrets: Iterable[str], odd: OddValues) -> Self:
        """Open a payload; one that is no object is empty."""
        original, secrets = read_dict(value), tuple(secrets)
        return cls(original, redact(original, secrets), secrets, odd)

    def __bool__(self) -> bool:
        return bool(self.redacted)

    def __contains__(self, name: str) -> bool:
        return name in self.redacted

    def get(self, path: str) -> Any:
        """Return the redacted value as it is."""
        return _dig(self.redacted, path)

    def read(self, read: Callable[[Any], T | None], expected: str, *paths: str) -> T | None:
        """Read a value with `read`, which returns None for what it cannot read."""
        return self._read(self.get, read, expected, paths)

    def text(self, *paths: str, max_length: int = TEXT_LENGTH) -> str | None:
        return self.read(lambda value: read_text(value, max_length), "text", *paths)

    def id(self, *paths: str) -> str | None:
        return self._read(
            lambda path: _dig(self.original, path),
            lambda value: read_redacted_id(value, self.secrets),
            "an id",
            paths,
        )

    def count(self, *paths: str) -> int | None:
        return self.read(read_count, "a count", *paths)

    def positive(self, *paths: str) -> int | None:
        """Read a count of which zero means "not known"."""
        return self.count(*paths) or None

    def number(self, *paths: str) -> float | None:
        return self.read(read_float, "a number", *paths)

    def percentage(self, *paths: str) -> float | None:
        return self.read(read_progress, "a percentage", *paths)

    def flag(self, *paths: str) -> bool | None:
        return self.read(read_bool, "true or false", *paths)

    def time(self, *paths: str) -> datetime | None:
        return self.read(read_time, "a time", *paths)

    def epoch_ms(self, *paths: str) -> datetime | None:
        return self.read(read_epoch_ms, "milliseconds since 1970", *paths)

    def duration_ms(self, *paths: str, unit: str = "ms") -> int | None:
        """Read a duration; a bare number counts in `unit`."""
        return self.read(lambda value: read_duration_ms(value, unit=unit), "a duration", *paths)

    def url(self, *paths: str) -> PayloadUrl:
        """Read a URL, or a path in a provider's own storage."""
        text = self._read(
            lambda path: _dig(self.original, path),
            lambda value: read_text(value, URL_LENGTH),
            "a URL",
            paths,
        )
        return PayloadUrl(*split_url(text, self.secrets)) if text else PayloadUrl()

    def object(self, path: str) -> "Body":
        """Open an object within this one; a missing one is empty."""
        self.read(lambda value: value if isinstance(value, dict) else None, "an object", path)
        original, redacted = _dig(self.original, path), self.get(path)
        return self._open_part(read_dict(original), read_dict(redacted), path)

    def items(self, path: str) -> list["Body"]:
        """Open the objects in a list, MAX_ITEMS at most; what is no object is passed over."""
        # not strict: redaction cuts a list that is too long to be looked through
        pairs = zip(read_list(_dig(self.original, path)), self.values(path), strict=False)
        return [
            self._open_part(read_dict(original), redacted, f"{path}[]", index)
            for index, (original, redacted) in enumerate(pairs)
            if isinstance(redacted, dict)
        ]

    def first(self, path: str) -> "Body":
        """Open the first object in a list; a missing one is empty."""
        return next(iter(self.items(path)), self._open_part({}, {}, f"{path}[]"))

    def values(self, path: str) -> list[Any]:
        """Read the redacted items of a list, MAX_ITEMS at most."""
        found = self.read(lambda value: value if isinstance(value, list) else None, "a list", path)
        return (found or [])[:MAX_ITEMS]

    def _read(
        self,
        get: Callable[[str], Any],
        read: Callable[[Any], T | None],
        expected: str,
        paths: Collection[str],
    ) -> T | None:
        for path in paths:
            value = get(path)
            if _is_empty(value):
                continue
            found = read(value)
            if found is not None:
                return found
            self.odd.note(self._join(path), expected, value)
        return None

    def _open_part(
        self, original: Mapping[str, Any], redacted: Mapping[str, Any], path: str, index: int = 0
    ) -> "Body":
        return Body(original, redacted, self.secrets, self.odd, self._join(path), index)

    def _join(self, path: str) -> str:
        return f"{self.path}.{path}" if self.path else path


def read_redacted_id(value: Any, secrets: Iterable[str]) -> str | None:
    return read_id(redact(value, secrets) if isinstance(value, str) else value)


def cut_references(value: Any, names: Collection[str]) -> Any:
    """Return a copy in which what any of `names` holds is cut to its `id` and `href`."""
    if not names:
        return value
    if isinstance(value, list):
        return [cut_references(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _cut(part) if name in names else cut_references(part, names)
        for name, part in value.items()
    }


def _cut(value: Any) -> Any:
    if isinstance(value, list):
        return [_cut(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {name: value[name] for name in ("id", "href") if name in value}


def _dig(body: Mapping[str, Any], path: str) -> Any:
    value: Any = body
    for name in path.split("."):
        value = read_dict(value).get(name)
    return value


def _is_empty(value: Any) -> bool:
    return value is None or (isinstance(value, str | list | dict) and not value)
