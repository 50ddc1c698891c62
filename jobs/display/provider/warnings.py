"""What a provider remarked about a job without failing it, read from its last body."""

from collections.abc import Iterator
from typing import Any

MAX_WARNINGS = 20
# As deep as providers nest what they say of an output
MAX_DEPTH = 8


def read_warnings(body: Any, field: str) -> list[str]:
    """The texts below each key `field`, wherever it is; each once, MAX_WARNINGS at most.

    One warning may be a text or an object, whose texts are then one: a code and a message.
    """
    found: dict[str, None] = {}
    for value in _values_of(body, field, MAX_DEPTH):
        for warning in value if isinstance(value, list) else [value]:
            texts = ": ".join(_texts(warning, MAX_DEPTH))
            if texts:
                found.setdefault(texts)
            if len(found) == MAX_WARNINGS:
                return list(found)
    return list(found)


def _values_of(value: Any, field: str, depth: int) -> Iterator[Any]:
    if depth == 0:
        return
    if isinstance(value, dict):
        for key, part in value.items():
            if key == field:
                yield part
            else:
                yield from _values_of(part, field, depth - 1)
    elif isinstance(value, list):
        for part in value:
            yield from _values_of(part, field, depth - 1)


def _texts(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, str):
        if text := " ".join(value.split()):
            yield text
    elif depth and isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part, depth - 1)
