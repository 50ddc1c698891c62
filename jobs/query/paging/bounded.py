"""Pages of what no index serves: searched newest first, in the time that a reader waits.

The rows are gone through in the order of the list, window by window. When the time is
over the page says how far the search got, and its next page continues from there. A page may then
be short, or empty, with more to come.
"""

from dataclasses import dataclass, field
from typing import Generic

from django.db.models import Q, QuerySet

from jobs.query.paging import windows
from jobs.query.paging.keyset import KeysetPage, Place, Row
from jobs.query.paging.orderings import Ordering

# beside what a page is about
ASIDE_S = 0.2


def search_page(
    rows: QuerySet[Row],
    condition: Q,
    ordering: Ordering,
    limit: int,
    cursor: str = "",
    scope: str = "",
) -> KeysetPage[Row]:
    """One page of those of `rows` that fulfil `condition`; `rows` alone must be served by an index.

    Takes about `windows.SEARCH_S` at most. Raises ValueError as `keyset.page` does.
    """
    place = Place.read(cursor, ordering, scope) if cursor else None
    is_forward = place is None or place.is_next
    order = ordering if is_forward else ordering.turned()
    search = _Search(rows, condition, order, limit, place, windows.SEARCH_S)
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
        for window in windows.go_through(self.rows, self.ordering, self.place, self.search_s):
            matches = window.rows.filter(self.condition)
            self.found += matches[: self.limit + 1 - len(self.found)]
            if len(self.found) > self.limit:
                self.reached = None
                return
            self.reached = window.end
