"""Which pages of a list have to be read again, since jobs may have slipped past the crawl.

A list shrinks while it is paged: where jobs are deleted above the end of the page that was read
last, as many others move up over that end, onto pages that were read already. Nobody would see them
before the nightly comparison of the whole list.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from providers.types import Page


@dataclass(frozen=True, slots=True)
class PageRead:
    """A page as it was read. `ids` is empty where an earlier pass read it."""

    cursor: str
    ids: tuple[str, ...] = ()
    total: int | None = None

    @classmethod
    def of(cls, cursor: str, page: Page) -> "PageRead":
        return cls(cursor, tuple(job.remote_id for job in page.jobs), page.total)

    def is_followed_by(self, later: "PageRead") -> bool:
        """Whether no job can have slipped between the two: they overlap, or none was deleted."""
        if not set(self.ids).isdisjoint(later.ids):
            return True
        return self.total is not None and later.total is not None and later.total >= self.total

    def has_moved(self, now: "PageRead") -> bool:
        """Whether this page, read again as `now`, shows that jobs were deleted on it or above."""
        kept = [remote_id for remote_id in self.ids if remote_id in now.ids]
        return not kept or kept != list(self.ids[: len(kept)]) or now.ids[-1] not in self.ids


@dataclass
class PageTurns:
    """The pages of one crawl, in order. From page `unchecked` on, jobs may have slipped past."""

    pages: list[PageRead] = field(default_factory=list)
    unchecked: int | None = None

    def add(self, page: PageRead, *, may_slip: Callable[[PageRead], bool]) -> None:
        """Note the next page. `may_slip`: whether jobs just below a page may be unknown to us."""
        if self.pages and not self.pages[-1].is_followed_by(page) and may_slip(self.pages[-1]):
            self.unchecked = len(self.pages) - 1 if self.unchecked is None else self.unchecked
        self.pages.append(page)
