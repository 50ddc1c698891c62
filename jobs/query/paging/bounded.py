"""Pages of what no index serves: searched newest first, in the time that a reader waits.

The rows are gone through in the order of the list, window by window, so that each query reads a
range of one index. When the time is over the page says how far the search got, and its next page
goes on from there. A page may then be short, or empty, with more to come.
"""

import time
from dataclasses import dataclass, field
from typing import Generic

from django.db.models import Q, QuerySet

from jobs.query.paging.keyset import KeysetPage, Place, Row, beyond, sort
from jobs.query.paging.orderings import Ordering

SEARCH_S = 2.0
# and beside what a page is about
ASIDE_S = 0.2
# Rows of the first window. The next ones follow from the time that it took.
FIRST_WINDOW = 2_000
LARGEST_WINDOW = 100_000
# What a window should take: a fraction of the time, so that the search ends close to it
WINDOW_S = SEARCH_S / 8


def search_page(
    rows: QuerySet[Row],
    condition: Q,
    ordering: Ordering,
    limit: int,
    cursor: str = "",
    scope: str = "",
) -> KeysetPage[Row]:
    """One page of those of `rows` that fulfil `condition`; `rows` alone must be served by an index.

    Takes about SEARCH_S at most. Raises ValueError as `keyset.page` does.
    """
    place = Place.read(cursor, ordering, scope) if cursor else None
    is_forward = place is None or place.is_next
    order = ordering if is_forward else ordering.turned()
    search = _Search(rows, condition, order, limit, place, SEARCH_S)
    search.run()
    if not is_forward and not search.found and search.reached is None:
        # nothing is left above: the top is the page before
        return search_page(rows, condition, ordering, limit, scope=scope)
    found = search.found[:limit]
    first, last = place, search.reached
    if len(search.found) > limit:
        last = _place_of(found[-1], ordering)
    if found and place is not None:
        first = _place_of(found[0], ordering)
    if not is_forward:
        found, first, last = found[::-1], last, first
    return KeysetPage(
        found,
        Place(True, last.at, last.id).write(ordering, scope) if last else None,
        Place(False, first.at, first.id).write(ordering, scope) if first else None,
        search.reached.at if search.reached else None,
    )


def find_first(rows: QuerySet[Row], condition: Q, ordering: Ordering, place: Place) -> Row | None:
    """The first of `rows` behind `place` that fulfils `condition`; None where about ASIDE_S found
    none."""
    search = _Search(rows, condition, ordering, 0, place, ASIDE_S)
    search.run()
    return search.found[0] if search.found else None


def _place_of(row: Row, ordering: Ordering) -> Place:
    return Place(True, ordering.time_of(row), row.pk)


@dataclass
class _Search(Generic[Row]):
    """`found` has one row more than a page where there are more; `reached`: where it stopped."""

    rows: QuerySet[Row]
    condition: Q
    ordering: Ordering
    limit: int
    place: Place | None
    search_s: float
    found: list[Row] = field(default_factory=list)
    reached: Place | None = None

    def run(self) -> None:
        deadline = time.monotonic() + self.search_s
        size, place = FIRST_WINDOW, self.place
        while True:
            begun = time.monotonic()
            end = self._end_of_window(place, size)
            self.found += self._matches(place, end)
            if len(self.found) > self.limit or end is None:
                return
            took_s = max(time.monotonic() - begun, 0.001)
            if time.monotonic() + took_s > deadline:
                self.reached = end
                return
            place = end
            size = min(int(size * min(WINDOW_S / took_s, 4)) + 1, LARGEST_WINDOW)

    def _end_of_window(self, place: Place | None, size: int) -> Place | None:
        """The last row of the next window; None where the rest is smaller."""
        ordered = sort(self.rows, self.ordering, place).annotate(at=self.ordering.expression)
        last = list(ordered.values_list("at", "id")[size - 1 : size])
        return Place(True, *last[0]) if last else None

    def _matches(self, place: Place | None, end: Place | None) -> list[Row]:
        window = sort(self.rows, self.ordering, place).filter(self.condition)
        if end is not None:
            than = "gt" if self.ordering.descending else "lt"
            window = window.filter(beyond(end, than, or_there="e"))
        return list(window[: self.limit + 1 - len(self.found)])
