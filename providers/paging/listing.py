"""Paging through a provider's list."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from providers.core.errors import BadAnswer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Listing:
    """One answer of a list: its items, the cursor of the next page (None: the last).

    `is_counted`: we make the cursor by counting pages or jobs, so that a server may ignore it.
    `total` is the length of the whole list where it is reported.
    """

    items: Sequence[Any]
    cursor: str | None = None
    is_counted: bool = False
    total: int | None = None


def crawl_pages(
    fetch: Callable[[str | None], Listing],
    cursor: str | None,
    read_id: Callable[[Any], str | None],
) -> Iterator[Listing]:
    """Yield the pages from `cursor` on, each fetched when it is asked for.

    A page that comes once more from a server that ignores our count ends the list. A cursor of the
    provider's that was fetched already raises BadAnswer.
    """
    fetched = {cursor}
    ids_before: list[str | None] = []
    while True:
        page = fetch(cursor)
        if page.cursor is not None and page.cursor in fetched:
            raise BadAnswer("The provider's list leads back to a page that was already read.")
        ids = [read_id(item) for item in page.items]
        if page.is_counted and ids == ids_before:
            page = Listing(page.items, total=page.total)
        yield page
        if page.cursor is None:
            return
        cursor, ids_before = page.cursor, ids
        fetched.add(cursor)


def read_items(items: Sequence[Any], read: Callable[[Any], T | None]) -> tuple[T, ...]:
    """Read what can be read. Raises BadAnswer where there are items and none of them can be.

    Such a page is no end of a list, and nothing is known of what it holds: a crawl that went on
    behind it would not come back for its jobs.
    """
    found = tuple(one for item in items if (one := read(item)) is not None)
    if items and not found:
        raise BadAnswer("A page of the provider's list could not be read at all.")
    return found
