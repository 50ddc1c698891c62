"""What an audit entry shows of a change."""

from collections.abc import Mapping
from typing import Any

Sides = dict[str, dict[str, Any]]


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> Sides:
    """`before` and `after` of an entry: what differs alone, the same keys in both."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {
        "before": {name: before.get(name) for name in names} if before else {},
        "after": {name: after.get(name) for name in names} if after else {},
    }
