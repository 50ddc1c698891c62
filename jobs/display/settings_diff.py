"""What differs between the settings of two jobs."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Change:
    """One setting, called as in `renditions 1 heights`; empty where a side does not have it."""

    name: str
    before: str
    after: str


def changes(before: Any, after: Any) -> list[Change]:
    """The plain values that differ, by name. A setting that is null is as good as not there."""
    old, new = dict(_leaves(before, "")), dict(_leaves(after, ""))
    return [
        Change(name, old.get(name, ""), new.get(name, ""))
        for name in {**old, **new}
        if old.get(name) != new.get(name)
    ]


def _leaves(value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Plain values by name; a list of plain values is one of them."""
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _leaves(part, f"{name} {key}".strip())
    elif isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
        for number, part in enumerate(value, start=1):
            yield from _leaves(part, f"{name} {number}".strip())
    elif isinstance(value, list):
        yield name, ", ".join(map(_word, value))
    elif value is not None:
        yield name, _word(value)


def _word(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
