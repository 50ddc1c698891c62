"""Nested settings as a flat list of plain values."""

from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]


def flatten(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Each plain value with its path: keys, and numbers from 1 in lists that nest.

    A list of plain values is one of them.
    """
    if isinstance(value, dict):
        for key, part in value.items():
            yield from flatten(part, (*path, str(key)))
    elif isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
        for number, part in enumerate(value, start=1):
            yield from flatten(part, (*path, number))
    else:
        yield path, value
