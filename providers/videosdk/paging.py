"""The walk over a list of numbered pages whose order is not documented.

Our contract is newest first. A list whose first page turns out to run the other way is walked
from its last page to its first, each page reversed: no page is lost or read twice for that, and
new jobs are on the first page that is given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from providers.core.errors import BadAnswer
from providers.core.types import RemoteJob
from providers.parsing.values import read_count, read_dict, read_int

_BACKWARDS = "-"


@dataclass(frozen=True, slots=True)
class Place:
    """A page, and which way the walk goes on from it."""

    number: int = 1
    is_backwards: bool = False

    @property
    def cursor(self) -> str:
        return f"{_BACKWARDS if self.is_backwards else ''}{self.number}"


@dataclass(frozen=True, slots=True)
class ListPage:
    """What one answer holds. `last` is the last page's number, where it is told."""

    items: Sequence[Any]
    current: int
    last: int | None

    @property
    def is_last(self) -> bool:
        """For no jobs at all the last page may be 0 or 1, so an empty page ends the list, too."""
        return not self.items or (self.last is not None and self.current >= self.last)

    @property
    def end(self) -> Place:
        return Place(self.last or 1, is_backwards=True)

    def leads_back_from_its_end(self, jobs: Sequence[RemoteJob]) -> bool:
        """Whether this first page, which holds `jobs`, shows that the newest ones are last."""
        times = [job.created_at for job in jobs if job.created_at]
        runs_upwards = bool(times) and times[0] < times[-1]
        return runs_upwards and self.last is not None and not self.is_last

    def follow(self, place: Place) -> Place | None:
        """Return the place after this page, which is at `place`; None at the end of the walk."""
        if place.is_backwards:
            return Place(place.number - 1, is_backwards=True) if place.number > 1 else None
        return None if self.is_last else Place(place.number + 1)

    def shrunk_to(self, place: Place) -> Place:
        """Return the end of a list that lost the page at `place` since it was counted."""
        if self.last is None or self.last >= place.number:
            raise BadAnswer("Video SDK's list of jobs has no jobs where it says that there are.")
        return self.end


def read_cursor(cursor: str | None) -> Place:
    """Read the place that a cursor stands for; a senseless one is the start."""
    number = read_int(cursor)
    return Place(abs(number), number < 0) if number else Place()


def read_list_page(data: Any, asked: int) -> ListPage:
    """Read the answer to page `asked`. Raises BadAnswer when it is no page of a list."""
    body = read_dict(data)
    items = body.get("data")
    if not isinstance(items, list):
        raise BadAnswer("Video SDK's list of jobs is not a page of data.")
    info = read_dict(body.get("pageInfo"))
    current = read_int(info.get("currentPage")) or asked
    return ListPage(items, current, read_count(info.get("lastPage")))
