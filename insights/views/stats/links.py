"""From each figure to the list of the jobs that it counts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from urllib.parse import quote, urlencode

from insights.rollups.spans import Window
from insights.statistics.filter import StatsFilter
from providers.core.status import TERMINAL

ENDED = tuple(sorted(status.value for status in TERMINAL))


@dataclass(frozen=True)
class JobLinks:
    """Lists of jobs at `path` that fit the filters of a page of statistics."""

    path: str
    filters: StatsFilter

    def ended(self, window: Window, statuses: Iterable[str] = ENDED, **more: str | int) -> str:
        """Those that ended within `window` and what the page is of, by how."""
        start, end = max(window[0], self.filters.start), min(window[1], self.filters.end)
        own = [("status", status) for status in statuses]
        own += [(name, str(value)) for name, value in more.items()]
        times = f"finished_after={_write(start)}&finished_before={_write(end)}"
        return f"{self._start}{urlencode(own)}&{times}" if own else f"{self._start}{times}"

    @cached_property
    def _start(self) -> str:
        """What all have: a table of a year has thousands."""
        query = [pair for pair in self.filters.given if pair[0] in self.filters.CONDITIONS]
        return f"{self.path}?{urlencode(query)}&" if query else f"{self.path}?"

    def all_ended(self, *statuses: str, **more: str | int) -> str:
        """The same of all the time that the page is of."""
        return self.ended((self.filters.start, self.filters.end), statuses or ENDED, **more)


@lru_cache(maxsize=2048)
def _write(at: datetime) -> str:
    return quote(at.astimezone(UTC).isoformat().replace("+00:00", "Z"))
