"""The pages of a list, one at a time."""

from collections.abc import Callable, Iterator

from providers.core.errors import ProviderError
from providers.core.types import Page


class Pages:
    """The pages of a list; after an error the list is opened again at the cursor asked for."""

    def __init__(self, open_list: Callable[[str | None], Iterator[Page]]) -> None:
        self._open = open_list
        self._pages: Iterator[Page] | None = None

    def read(self, cursor: str = "") -> Page | None:
        """The next page, None after the last. `cursor` is where that one begins."""
        if self._pages is None:
            self._pages = self._open(cursor or None)
        try:
            return next(self._pages, None)
        except ProviderError:
            self._pages = None  # an iterator that raised has ended
            raise
