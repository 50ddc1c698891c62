"""Going through rows that no index picks, window by window, in the time that a reader waits.

Each window is a range of the one index that the rows are in the order of, so that a query of it
reads that range alone.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic

from django.db.models import QuerySet

from jobs.query.paging.keyset import Place, Row, beyond, sort
from jobs.query.paging.orderings import Ordering

SEARCH_S = 2.0
# Rows of the first window. The next ones follow from the time that it took.
FIRST_WINDOW = 2_000
LARGEST_WINDOW = 100_000
# What a window should take: a fraction of the time, so that the search ends close to it
WINDOW_S = SEARCH_S / 8


@dataclass(frozen=True, slots=True)
class Window(Generic[Row]):
    """The rows behind `place` up to `end`, which is the last of them; None: up to the last of all.

    `rows` are sorted.
    """

    rows: QuerySet[Row]
    end: Place | None


def go_through(
    rows: QuerySet[Row], ordering: Ordering, place: Place | None, search_s: float
) -> Iterator[Window[Row]]:
    """All of `rows` behind `place`, until `search_s` is over; what is done with each counts.

    There is more where the last window has an end.
    """
    deadline = time.monotonic() + search_s
    size = FIRST_WINDOW
    while True:
        begun = time.monotonic()
        end = _end_of_window(rows, ordering, place, size)
        yield Window(_between(rows, ordering, place, end), end)
        took_s = max(time.monotonic() - begun, 0.001)
        if end is None or time.monotonic() + took_s > deadline:
            return
        place = end
        size = min(int(size * min(WINDOW_S / took_s, 4)) + 1, LARGEST_WINDOW)


def _end_of_window(
    rows: QuerySet[Row], ordering: Ordering, place: Place | None, size: int
) -> Place | None:
    """The last row of the next window; None where the rest is smaller."""
    ordered = sort(rows, ordering, place).annotate(at=ordering.expression)
    last = list(ordered.values_list("at", "id")[size - 1 : size])
    return Place(True, *last[0]) if last else None


def _between(
    rows: QuerySet[Row], ordering: Ordering, place: Place | None, end: Place | None
) -> QuerySet[Row]:
    window = sort(rows, ordering, place)
    if end is None:
        return window
    return window.filter(beyond(end, "gt" if ordering.descending else "lt", or_there="e"))
