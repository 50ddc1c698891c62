"""Reading the items of one page of a list."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from providers.core.errors import BadAnswer

T = TypeVar("T")


def read_items(items: Sequence[Any], read: Callable[[Any], T | None]) -> tuple[T, ...]:
    """Read what can be read. Raises BadAnswer where there are items and none of them can be.

    Such a page is no end of a list, and nothing is known of what it holds: a walk that went on
    behind it would not come back for its jobs.
    """
    found = tuple(one for item in items if (one := read(item)) is not None)
    if items and not found:
        raise BadAnswer("The provider's list has a page of which nothing can be read.")
    return found
