"""Pages of a list whose order is not documented.

Our contract is newest first. A list whose first page turns out to run the other way is read
from its last page to its first, each page reversed: no page is lost or read twice for that, and
new jobs are on the first page that is given.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from providers.core.errors import BadAnswer
from providers.paging.listing import Listing
from providers.parsing.values import read_dict, read_int
from providers.videosdk.bodies import read_created_at


@dataclass(frozen=True, slots=True)
class NumberedPage:
    """What one answer holds. `last` is the last page's number, where it is reported."""

    items: Sequence[Any]
    number: int
    last: int | None

    @property
    def is_last(self) -> bool:
        """For no jobs at all the last page may be 0 or 1, so an empty page ends the list, too."""
        return not self.items or (self.last is not None and self.number >= self.last)

    @property
    def runs_upwards(self) -> bool:
        times = [at for item in self.items if (at := read_created_at(read_dict(item)))]
        return bool(times) and times[0] < times[-1]


def fetch_newest_first(read_page: Callable[[int], NumberedPage], cursor: str | None) -> Listing:
    """Fetch the page at `cursor`: its number, negative where the list is read backwards."""
    place = read_int(cursor) or 0  # a senseless cursor is the start
    page = read_page(abs(place) or 1)
    if not place and page.runs_upwards and page.last and not page.is_last:
        place = -page.last
        page = read_page(page.last)
    while place < -1 and not page.items:
        # the list lost its end since it was counted
        if page.last is None or page.last >= -place:
            raise BadAnswer("The list of jobs has no jobs where it says that there are.")
        place = -(page.last or 1)
        page = read_page(-place)
    if place < 0:
        return Listing(page.items[::-1], str(place + 1) if place < -1 else None)
    following = None if page.is_last else str((place or 1) + 1)
    return Listing(page.items, following, is_counted=True)
