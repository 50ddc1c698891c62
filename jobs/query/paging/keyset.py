"""Keyset paging: a page starts after a row's place, never after a count of rows.

A page costs the same however far down it lies, and rows that arrive above it neither repeat
nor skip anything below.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Generic, TypeVar, cast

from django.db.models import Model, Q, QuerySet

from jobs.query.paging.cursors import NOT_VALID, seal, unseal
from jobs.query.paging.orderings import Ordering

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

# side, order, microseconds since 1970, id
_PLACE = re.compile(r"(next|previous) (-?[a-z]+) (-?\d{1,18}) (\d{1,19})", re.ASCII)


Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True, slots=True)
class KeysetPage(Generic[Row]):
    """`rows` in order; `next` and `previous` are cursors, None where nothing is known there.

    `searched_to`: where the time for a search ran out; None where the page is complete.
    """

    rows: list[Row]
    next: str | None
    previous: str | None
    searched_to: datetime | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Between two rows: just behind, or just before, the row with this time and id."""

    is_next: bool
    at: datetime
    id: int

    def turned(self) -> "Place":
        return replace(self, is_next=not self.is_next)

    def write(self, ordering: Ordering, scope: str) -> str:
        side = "next" if self.is_next else "previous"
        micros = (self.at - EPOCH) // timedelta(microseconds=1)
        return seal(f"{side} {ordering} {micros} {self.id}", scope)

    @classmethod
    def read(cls, cursor: str, ordering: Ordering, scope: str) -> "Place":
        found = _PLACE.fullmatch(unseal(cursor, scope))
        if found is None:
            raise ValueError(NOT_VALID)
        side, order, micros, pk = found.groups()
        at = EPOCH + timedelta(microseconds=int(micros))
        if order != str(ordering):
            raise ValueError(
                "This cursor belongs to another sort order; start from the first page."
            )
        return cls(side == "next", at, int(pk))


def page(
    queryset: QuerySet[Row], ordering: Ordering, limit: int, cursor: str = "", scope: str = ""
) -> KeysetPage[Row]:
    """One page of `queryset` in one query; without a cursor the first one.

    A cursor is only a place: what may be seen is up to `queryset`. Raises ValueError with a
    sentence for one that is not ours, or was made for another scope or order.
    """
    after, before = partial(_after, ordering, scope), partial(_before, ordering, scope)
    if not cursor:
        rows, more = _rows(queryset, ordering, limit)
        return KeysetPage(rows, after(rows) if more else None, None)
    place = Place.read(cursor, ordering, scope)
    if place.is_next:
        rows, more = _rows(queryset, ordering, limit, place)
        return KeysetPage(rows, after(rows) if more else None, before(rows))
    rows, more = _rows(queryset, ordering.turned(), limit, place)
    if not rows:
        # all that was above is gone: the top is the page before
        return page(queryset, ordering, limit, scope=scope)
    rows.reverse()
    return KeysetPage(rows, after(rows), before(rows) if more else None)


def _rows(
    queryset: QuerySet[Row], ordering: Ordering, limit: int, place: Place | None = None
) -> tuple[list[Row], bool]:
    """The first rows in this order, behind `place`; and whether there are more."""
    rows: list[Row] = list(sort(queryset, ordering, place)[: limit + 1])
    return rows[:limit], len(rows) > limit


def sort(queryset: QuerySet[Row], ordering: Ordering, place: Place | None = None) -> QuerySet[Row]:
    """`queryset` in this order, from behind `place`, with the time as `sort_time`."""
    by_time = ordering.expression
    queryset = cast(QuerySet[Row], queryset.alias(sort_time=by_time))
    if place is not None:
        queryset = queryset.filter(beyond(place, "lt" if ordering.descending else "gt"))
    order = [by_time.desc(), "-id"] if ordering.descending else [by_time.asc(), "id"]
    return queryset.order_by(*order)


def beyond(place: Place, than: str, or_there: str = "") -> Q:
    """Rows on one side of `place`: `lt` or `gt`; with `or_there` as `e` the row there as well."""
    # The first condition says nothing new, but it alone gives the index its range; the planner
    # does not see through the OR.
    return Q(**{f"sort_time__{than}e": place.at}) & (
        Q(**{f"sort_time__{than}": place.at})
        | Q(sort_time=place.at, **{f"id__{than}{or_there}": place.id})
    )


def _after(ordering: Ordering, scope: str, rows: Sequence[Model]) -> str | None:
    if not rows:
        return None
    return Place(True, ordering.time_of(rows[-1]), rows[-1].pk).write(ordering, scope)


def _before(ordering: Ordering, scope: str, rows: Sequence[Model]) -> str | None:
    if not rows:
        return None
    return Place(False, ordering.time_of(rows[0]), rows[0].pk).write(ordering, scope)
