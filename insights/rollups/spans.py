"""Quarters of an hour, and the hours and days of a time zone."""

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

QUARTER = timedelta(minutes=15)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
# What ended before counts nowhere: no provider is older, and since then all clocks of the world
# have differed by whole quarters.
FIRST = datetime(2000, 1, 1, tzinfo=UTC)

Window = tuple[datetime, datetime]


def floor(at: datetime, span: timedelta = QUARTER) -> datetime:
    """The beginning of the quarter or, in UTC, the hour that `at` is in."""
    return FIRST + (at - FIRST) // span * span


def ceil(at: datetime, span: timedelta = QUARTER) -> datetime:
    return -((FIRST - at) // span) * span + FIRST


def day_of(at: datetime, zone: tzinfo) -> date:
    return at.astimezone(zone).date()


def start_of(day: date, zone: tzinfo) -> datetime:
    """The instant at which a day begins there."""
    return datetime.combine(day, time(), zone).astimezone(UTC)


def days_between(start: datetime, end: datetime, zone: tzinfo) -> Iterator[Window]:
    """The days there that have a part in `start` to `end`, whole, the first one first."""
    day = day_of(start, zone)
    while (begins := start_of(day, zone)) < end:
        day += DAY
        yield begins, start_of(day, zone)


def hours_between(start: datetime, end: datetime, zone: tzinfo) -> Iterator[Window]:
    """The same of the hours of these days, counted from midnight."""
    for begins, ends in days_between(start, end, zone):
        while begins < ends:
            following = min(begins + HOUR, ends)
            if following > start and begins < end:
                yield begins, following
            begins = following


def merge(windows: Iterable[Window]) -> list[Window]:
    """The same time in as few windows as possible, the first one first."""
    merged: list[Window] = []
    for start, end in sorted(windows):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        elif start < end:
            merged.append((start, end))
    return merged


def hour_around(at: datetime) -> Window:
    begins = floor(at, HOUR)
    return begins, begins + HOUR
