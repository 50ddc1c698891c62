"""What the page of statistics is of, as its URL has it."""

from datetime import datetime, timedelta, tzinfo
from typing import ClassVar

from django.utils import timezone

from insights.rollups.spans import DAY, HOUR, Window, day_of, floor, start_of
from insights.statistics.filter import USUAL_SPAN, StatsFilter, read_limit
from jobs.query.language.times import read_moment
from jobs.query.parameters import Parameters

# by name: what people choose, and how many days it begins before today
SPANS: dict[str, tuple[str, int]] = {
    "today": ("Today", 0),
    "24h": ("24 hours", 0),
    "7d": ("7 days", 6),
    "30d": ("30 days", 29),
    "90d": ("90 days", 89),
    "1y": ("12 months", 364),
}
USUAL = "7d"
# The whole page or, by their names, its tables
TABLES = ("outcomes", "success", "wait", "run", "output", "errors", "presets")


class PageStats(StatsFilter):
    """As the API's, and a span by its name, a last day, a saved view, and the table that is open.

    `through` is the last day, to its end: people name that, and not the day after it.
    """

    REPEATED: ClassVar[tuple[str, ...]] = ("provider", "account")
    CONDITIONS: ClassVar[tuple[str, ...]] = (*REPEATED, "q")
    OTHERS: ClassVar[tuple[str, ...]] = (*StatsFilter.OTHERS, "through", "span", "view", "table")

    @classmethod
    def read_range(cls, read: Parameters, zone: tzinfo) -> Window:
        now = timezone.now()
        span = read.one("span")
        if span and span not in SPANS:
            read.errors["span"] = f"Use {', '.join(SPANS)}."
        if any(read.one(name) for name in ("from", "to", "through")):
            start, end = super().read_range(read, zone)
            last = _read_through(read, zone, now)
            if last is None:
                return start, end
            return start if read.one("from") else last - USUAL_SPAN, last
        return _begin(SPANS.get(span, SPANS[USUAL])[1], span, zone, now), now

    @property
    def span(self) -> str:
        """The name of the span; empty for a time of one's own."""
        given = dict(self.given)
        if given.keys() & {"from", "to", "through"}:
            return ""
        return given.get("span", USUAL)

    @property
    def view(self) -> str:
        return dict(self.given).get("view", "")

    @property
    def table(self) -> str:
        """The table that is asked for; empty for none."""
        table = dict(self.given).get("table", "")
        return table if table in TABLES else ""


def _begin(days: int, span: str, zone: tzinfo, now: datetime) -> datetime:
    if span == "24h":
        return floor(now, HOUR) - timedelta(hours=23)
    return start_of(day_of(now, zone) - DAY * days, zone)


def _read_through(read: Parameters, zone: tzinfo, now: datetime) -> datetime | None:
    text = read.one("through")
    if not text:
        return None
    try:
        return read_moment(text, zone, now).end
    except ValueError as error:
        read.errors["through"] = str(error)
        return read_limit(read, "to", zone, now)
