"""Which pages of a list have to be read again, so that no job hides between two of them.

A list shrinks while it is paged: where jobs are deleted above the end of the page that was read
last, as many others move up over that end, onto pages that were read already. Nobody would see them
before the nightly comparison of the whole list.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from providers.core.types import Page

# How often pages are read again at one turn before the crawl goes on regardless.
MAX_READS_AGAIN = 8

# What is remembered of a crawl, however long it gets: as many pages as it may go back to, and the
# ids of the last few hundred. Of a page that was pushed down further, others are read again.
PAGES_KEPT = 2 * MAX_READS_AGAIN
IDS_KEPT = 20_000


@dataclass(frozen=True, slots=True)
class PageRead:
    """A page as it was read."""

    ids: tuple[str, ...]
    total: int | None

    @classmethod
    def of(cls, page: Page) -> "PageRead":
        return cls(tuple(job.remote_id for job in page.listed), page.total)

    def has_lost(self, now: "PageRead") -> bool:
        """Whether jobs were deleted on this page or above: some left it, or others came up."""
        common = [remote_id for remote_id in self.ids if remote_id in now.ids]
        if not common:
            return bool(self.ids)
        first, last = self.ids.index(common[0]), self.ids.index(common[-1])
        return last - first >= len(common) or first > now.ids.index(common[0])

    def has_gained(self, now: "PageRead") -> bool:
        """Whether jobs were added above this page: it was pushed down."""
        first = next((remote_id for remote_id in self.ids if remote_id in now.ids), None)
        if first is None:
            return bool(self.ids)
        return self.ids.index(first) < now.ids.index(first)


class PageTurns:
    """The pages of one crawl, in order, and the one to read again before it goes on.

    Two reads that share a job hide none between them, at whatever time each was read: what was
    below that job stays below it. Neither does a list that did not get shorter. Without either, a
    page that reads the same before and after the next one is accepted: twice in a row, once the
    list was seen to change.
    """

    def __init__(self, before: str | None = None) -> None:
        """`before` is the cursor of the page that an earlier pass read last, if there is one."""
        self._cursors: dict[int, str] = {} if before is None else {0: before}
        self._count = len(self._cursors)
        self._reads: dict[int, PageRead] = {}
        # ids that are known to be without a gap, and reads that may have one above them
        self._connected: dict[str, None] = {}
        self._loose: list[PageRead] = []
        self._number: int | None = None
        self._last: Page | None = None
        self._reads_again = self._unchanged = 0
        self._loses = self._gains = self._guessed = False

    @property
    def last_cursor(self) -> str:
        return self._cursors.get(self._count - 1, "")

    @property
    def unsettled(self) -> str | None:
        """The cursor of the page to read again, None where the crawl may go on."""
        return None if self._number is None else self._cursors[self._number]

    @property
    def is_at_start(self) -> bool:
        """Whether the page to read again is the one that an earlier pass read."""
        return self._number == 0 and 0 not in self._reads

    @property
    def is_at_end(self) -> bool:
        """Whether the page to read again is the last one."""
        return self._number == self._count - 1

    @property
    def may_hide_jobs(self) -> bool:
        """Whether jobs came and went during a crawl that had to go on without proof."""
        return self._loses and self._gains and self._guessed

    def add(self, cursor: str, page: Page, *, may_slip: Callable[[Page], bool]) -> None:
        """Note the next page. `may_slip`: whether jobs just below a page may be unknown to us."""
        number, read, before = self._count, PageRead.of(page), self._last
        self._cursors[number] = cursor
        self._count += 1
        self._last = page
        if self._note(number, read):
            self._gains = self._gains or number > 0
        elif before is not None and not (may_slip(before) and self._may_have_shrunk(number, read)):
            self._connect_all()
        else:
            self._number = number - 1
            self._reads_again = self._unchanged = 0
        self._forget(number - PAGES_KEPT)

    def add_again(self, page: Page) -> None:
        """Note the page that `unsettled` asked for."""
        if self._number is None:
            raise RuntimeError("No page was to be read again.")
        number, now = self._number, PageRead.of(page)
        if self.is_at_end:
            self._last = page
        before = self._reads.get(number)
        is_connected = self._note(number, now)
        if is_connected and (not self._loose or self.is_at_end):
            self._connect_all()
            return
        self._reads_again += 1
        if before is None or now.ids == before.ids:
            self._unchanged += 1
        else:
            self._unchanged = 0
        changes = self._loses or self._gains
        if self._unchanged > changes or self._reads_again == MAX_READS_AGAIN:
            self._guessed = True
            self._connect_all()
        elif is_connected:
            self._number = number + 1
        else:
            self._number = max(number - 1, 0)

    def _note(self, number: int, read: PageRead) -> bool:
        """Keep a read; returns whether no job can hide above it."""
        before = self._reads.get(number)
        if before is not None:
            self._loses = self._loses or before.has_lost(read)
            self._gains = self._gains or before.has_gained(read)
        self._reads[number] = read
        self._loose.append(read)
        is_first = number == 0
        for loose in self._loose[::-1]:
            if is_first or not self._connected.keys().isdisjoint(loose.ids):
                self._connect(loose)
                self._loose.remove(loose)
            is_first = False
        return read not in self._loose

    def _may_have_shrunk(self, number: int, read: PageRead) -> bool:
        before = self._reads[number - 1].total
        return before is None or read.total is None or read.total < before

    def _connect_all(self) -> None:
        for loose in self._loose:
            self._connect(loose)
        self._loose.clear()
        self._number = None

    def _connect(self, read: PageRead) -> None:
        for remote_id in read.ids:
            self._connected.pop(remote_id, None)
        self._connected |= dict.fromkeys(read.ids)
        surplus = max(len(self._connected) - IDS_KEPT, 0)
        for remote_id in list(islice(self._connected, surplus)):
            del self._connected[remote_id]

    def _forget(self, number: int) -> None:
        self._cursors.pop(number, None)
        self._reads.pop(number, None)
