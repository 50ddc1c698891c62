"""Times and durations in a query, and the ranges that they stand for."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Generic, TypeVar

from jobs.query.language.tree import Value

AGE = re.compile(r"(\d{1,6})([smhdw])", re.ASCII)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
DAYS = {"today": 0, "yesterday": 1}
TIME_HELP = (
    "Write a date such as 2026-05-04, a time such as 2026-05-04T12:00, or an age such as 2d."
)
LENGTH_HELP = "Write a duration such as 90s, 20m, 1h30m or 1:30:00."

_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_LOST_PLUS = re.compile(r"(T[0-9:.]+) (\d\d:?\d\d)$", re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d\S*", re.ASCII | re.IGNORECASE)
_CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,4}):(\d\d)", re.ASCII)
_LENGTH = re.compile(r"(?:\d{1,6}(?:\.\d{1,3})?(?:ms|[smhdw]))+", re.ASCII)
_PART = re.compile(r"([\d.]+)(ms|[smhdw])", re.ASCII)

Point = TypeVar("Point", datetime, timedelta)


@dataclass(frozen=True, slots=True)
class Range(Generic[Point]):
    """From `start` up to but without `end`, where one may be missing.

    `after_start`: without the start itself; `with_end`: with the end.
    """

    start: Point | None = None
    end: Point | None = None
    after_start: bool = False
    with_end: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """What a time stands for: a whole day or, where start and end are the same, an instant."""

    start: datetime
    end: datetime
    is_relative: bool = False


def restore_plus(text: str) -> str:
    """ISO 8601 with the "+" of its offset, which arrives as a blank where nobody escaped it."""
    return _LOST_PLUS.sub(r"\1+\2", text)


def read_moment(text: str, zone: tzinfo, now: datetime) -> Moment:
    """An age before `now`, `today` or `yesterday`, a date in `zone`, or a time, there or with an
    offset. Raises ValueError.
    """
    try:
        if found := AGE.fullmatch(text.lower()):
            at = now - timedelta(**{UNITS[found[2]]: int(found[1])})
            return Moment(at, at, is_relative=True)
        if (days := DAYS.get(text.lower())) is not None:
            today = now.astimezone(zone).date()
            return _day(today - timedelta(days=days), zone)
        if _DATE.fullmatch(text):
            return _day(date.fromisoformat(text), zone)
        if _TIME.fullmatch(restore_plus(text)):
            at = datetime.fromisoformat(restore_plus(text.upper()))
            at = (at if at.tzinfo else at.replace(tzinfo=zone)).astimezone(UTC)
            return Moment(at, at)
    except (ValueError, OverflowError):
        pass
    raise ValueError(TIME_HELP)


def _day(day: date, zone: tzinfo) -> Moment:
    start, end = (
        datetime.combine(one, time(), zone).astimezone(UTC)
        for one in (day, day + timedelta(days=1))
    )
    return Moment(start, end)


def read_times(value: Value, zone: tzinfo, now: datetime) -> Range[datetime]:
    """The range of times that `value` stands for. Raises QueryError."""

    def read(text: str) -> Moment:
        try:
            return read_moment(text, zone, now)
        except ValueError as error:
            raise value.error(str(error)) from None

    if value.operator == "..":
        start = read(value.text).start if value.text else None
        end = read(value.upper).start if value.upper else None
        if start and end and start >= end:
            raise value.error("This range ends before it begins. Write the earlier time first.")
        return Range(start, end)
    moment = read(value.text)
    is_instant = moment.start == moment.end and not moment.is_relative
    match value.operator:
        case ">":
            # so far nothing is later than today: what is meant is since it began
            is_today = value.text.lower() == "today"
            return Range(moment.start if is_today else moment.end, after_start=is_instant)
        case ">=":
            return Range(moment.start)
        case "<":
            return Range(end=moment.start)
        case "<=":
            return Range(end=moment.end, with_end=is_instant)
    if moment.is_relative:
        return Range(moment.start)
    if is_instant:
        raise value.error("Put > or < before a time, or write a range such as 7d..2d.")
    return Range(moment.start, moment.end)


def fix_date(value: Value, zone: tzinfo, now: datetime) -> Value:
    """`value` with dates and times in `zone` as times with an offset. Raises QueryError."""
    texts = (value.text, value.upper)
    if all(is_moving(text) for text in texts if text):
        return value
    if value.operator == "..":
        for text in filter(None, texts):
            read_times(Value(text, ">=", start=value.start, end=value.end), zone, now)
        text, upper = (
            write_time(read_moment(text, zone, now).start, zone) if not is_moving(text) else text
            for text in texts
        )
        return replace(value, text=text, upper=upper)
    times = read_times(value, zone, now)
    if times.start and times.end:
        upper = write_time(times.end, zone)
        return replace(value, text=write_time(times.start, zone), operator="..", upper=upper)
    if times.end:
        operator = "<=" if times.with_end else "<"
    else:
        operator = ">" if times.after_start else ">="
    at = times.end or times.start or now
    return replace(value, text=write_time(at, zone), operator=operator)


def is_moving(text: str) -> bool:
    """Whether it is another time tomorrow: an age, or a day by its distance from today."""
    return text == "" or text.lower() in DAYS or AGE.fullmatch(text.lower()) is not None


def write_time(at: datetime, zone: tzinfo, *, as_day: bool = False) -> str:
    """ISO 8601 with the offset of `zone`, no finer than it has to be.

    `as_day`: the date alone where that day begins there.
    """
    local = at.astimezone(zone)
    if as_day and local.time() == time():
        return local.date().isoformat()
    precision = "microseconds" if local.microsecond else "seconds" if local.second else "minutes"
    return local.isoformat(timespec=precision).replace("+00:00", "Z")


def read_length(text: str) -> timedelta:
    """`90s`, `1h30m` or, as pages write it, `1:30:00`. Raises ValueError."""
    try:
        if found := _CLOCK.fullmatch(text):
            hours, minutes, seconds = (int(part or 0) for part in found.groups())
            return timedelta(hours=hours, minutes=minutes, seconds=seconds)
        if _LENGTH.fullmatch(text.lower()):
            names = {**UNITS, "ms": "milliseconds"}
            parts = _PART.findall(text.lower())
            return sum(
                (timedelta(**{names[unit]: float(number)}) for number, unit in parts), timedelta()
            )
    except OverflowError:
        pass
    raise ValueError(LENGTH_HELP)


def read_lengths(value: Value) -> Range[timedelta]:
    """The range of durations that `value` stands for. Raises QueryError."""

    def read(text: str) -> timedelta:
        try:
            return read_length(text)
        except ValueError as error:
            raise value.error(str(error)) from None

    if value.operator == "..":
        start = read(value.text) if value.text else None
        end = read(value.upper) if value.upper else None
        if start is not None and end is not None and start >= end:
            raise value.error("This range ends before it begins. Write the shorter one first.")
        return Range(start, end)
    length = read(value.text)
    match value.operator:
        case ">" | ">=":
            return Range(length, after_start=value.operator == ">")
        case "<" | "<=":
            return Range(end=length, with_end=value.operator == "<=")
    raise value.error("Put > or < before a duration, or write a range such as 5m..20m.")
