"""What differs between the settings of two jobs."""

import json
from dataclasses import dataclass
from typing import Any

from jobs.display.flatten import flatten


@dataclass(frozen=True, slots=True)
class Change:
    """One setting, called as in `renditions 1 heights`; empty where a side does not have it."""

    name: str
    before: str
    after: str


def changes(before: Any, after: Any) -> list[Change]:
    """The plain values that differ, by name. A setting that is null is as good as not there."""
    old, new = _by_name(before), _by_name(after)
    return [
        Change(name, old.get(name, ""), new.get(name, ""))
        for name in {**old, **new}
        if old.get(name) != new.get(name)
    ]


def _by_name(settings: Any) -> dict[str, str]:
    return {
        " ".join(map(str, path)): _show(value)
        for path, value in flatten(settings)
        if value is not None
    }


def _show(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_show, value))
    return value if isinstance(value, str) else json.dumps(value)
