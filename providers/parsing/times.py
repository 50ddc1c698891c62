"""Total readers of times and durations: any value in, a moment, milliseconds or None out."""

import re
from datetime import UTC, date, datetime, time, tzinfo
from typing import Any

from providers.parsing.values import MAX_INT, read_float

_TIME = re.compile(
    r"(\d{4}-\d{2}-\d{2})"
    r"(?:[T ]+(\d{2}:\d{2}(?::\d{2})?)(?:[.,](\d{1,9}))?)?"
    r"\s*(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII | re.IGNORECASE,
)
_CLOCK = re.compile(
    r"(?:(\d{1,5})(?: days?,)? )?(?:(\d{1,6}):)?(\d{1,6}):(\d{1,2}(?:\.\d+)?)", re.ASCII
)
_UNITS_MS = {"h": 3_600_000, "min": 60_000, "m": 60_000, "s": 1000, "sec": 1000, "ms": 1}
_WITH_UNIT = re.compile(r"(\d+(?:\.\d+)?)\s*(h|min|m|sec|s|ms)(?![a-z])", re.ASCII | re.IGNORECASE)
_ISO_DURATION = re.compile(
    r"P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?", re.ASCII | re.IGNORECASE
)


def read_time(value: Any, zone: tzinfo | None = None) -> datetime | None:
    """Read an ISO 8601 time, with `T` or spaces, fractions, `Z` or an offset, as aware UTC.

    A time that names no zone is in `zone`, and None without one: a guess would be off by hours.
    """
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, str) and (found := _TIME.fullmatch(value.strip())):
        day, clock, fraction, offset = found.groups()
        digits = f".{fraction[:6]:0<6}" if fraction else ""
        named = re.sub("(?i)z|utc|gmt", "+00:00", offset or "")
        try:
            moment = datetime.combine(
                date.fromisoformat(day),
                time.fromisoformat(f"{clock or '00:00'}{_seconds(clock)}{digits}{named}"),
            )
        except ValueError:
            return None
    else:
        return None
    if moment.tzinfo is None:
        if zone is None:
            return None
        moment = moment.replace(tzinfo=zone)
    return _to_utc(moment)


def _seconds(clock: str | None) -> str:
    return "" if clock and clock.count(":") == 2 else ":00"


def _to_utc(moment: datetime) -> datetime | None:
    try:
        moment = moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
    # Years outside are placeholders (0001, 9999), and comparing with them overflows later on.
    return moment if 1970 <= moment.year <= 2200 else None


def read_epoch_s(value: Any) -> datetime | None:
    """Read seconds since 1970."""
    number = read_float(value)
    if number is None:
        return None
    try:
        return _to_utc(datetime.fromtimestamp(number, UTC))
    except (OverflowError, ValueError, OSError):
        return None


def read_epoch_ms(value: Any) -> datetime | None:
    """Read milliseconds since 1970."""
    number = read_float(value)
    return None if number is None else read_epoch_s(number / 1000)


def read_duration_ms(value: Any, *, unit: str = "ms") -> int | None:
    """Read a length of time as milliseconds; None for nonsense and for negative ones.

    A bare number counts in `unit` (`ms`, `s`, `min`, `h`). `01:02:03.5`, `02:03`, `1 02:03:04`
    and `1 day, 2:03:04` (a day more), `1 h 2 min`, `90s`, `1500 ms` and ISO 8601 `PT1H2M3.5S` say
    themselves.
    """
    number = read_float(value)
    if number is not None:
        return _whole_ms(number * _UNITS_MS[unit])
    if not isinstance(value, str) or len(value) > 64:
        return None
    text = value.strip()
    if found := _CLOCK.fullmatch(text):
        days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
        return _sum_ms(days, hours, minutes, seconds)
    if (found := _ISO_DURATION.fullmatch(text)) and any(found.groups()):
        days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
        return _sum_ms(days, hours, minutes, seconds)
    if text and not _WITH_UNIT.sub("", text).strip(" ,"):
        parts = _WITH_UNIT.findall(text)
        return _whole_ms(sum(float(count) * _UNITS_MS[name.lower()] for count, name in parts))
    return None


def _sum_ms(days: float, hours: float, minutes: float, seconds: float) -> int | None:
    return _whole_ms(((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000)


def _whole_ms(number: float) -> int | None:
    return round(number) if 0 <= number < MAX_INT else None
