"""Figures with their units, for people: scripts never have to parse them."""

from datetime import datetime, timedelta

from providers.parsing.clock import is_ahead

SI_PREFIXES = ("", "k", "M", "G", "T", "P")


def duration(value: timedelta | int | None) -> str:
    """`1:12:09`, `0:07`, and for what is shorter than a second `0.4 s`; milliseconds or a span."""
    if value is None:
        return ""
    milliseconds = value // timedelta(milliseconds=1) if isinstance(value, timedelta) else value
    if 0 < milliseconds < 1000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(max(milliseconds, 0) // 1000, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def size(value: int | None) -> str:
    """`48 B`, `1.5 kB`, `312 MB`: SI units, three figures at most."""
    if value is None:
        return ""
    amount, prefix = scale(value)
    return f"{amount} {prefix}B"


def bitrate(kilobits: int | None) -> str:
    """`96 kbit/s`, `2.4 Mbit/s`."""
    if kilobits is None:
        return ""
    amount, prefix = scale(kilobits * 1000)
    return f"{amount} {prefix}bit/s"


def scale(value: int) -> tuple[str, str]:
    amount = float(value)
    for prefix in SI_PREFIXES:
        # 999.95 would be printed as 1000.0
        if amount < 999.95 or prefix == SI_PREFIXES[-1]:
            break
        amount /= 1000
    precise = f"{amount:.1f}" if prefix and amount < 100 else f"{amount:.0f}"
    return precise.removesuffix(".0"), prefix


def ago(at: datetime, now: datetime) -> str:
    """`3 min ago`; `in 5 h: the provider's clock is ahead` of a time that has not come yet."""
    if is_ahead(at, now):
        return f"in {age(at - now)}: the provider's clock is ahead"
    return f"{age(now - at)} ago"


def age(span: timedelta) -> str:
    """`4 s`, `12 min`, `3 h`, `5 d`, `7 mo`, `2 y`: the largest whole unit."""
    seconds = max(int(span.total_seconds()), 0)
    for unit, length in (
        ("y", 365 * 86400),
        ("mo", 30 * 86400),
        ("d", 86400),
        ("h", 3600),
        ("min", 60),
    ):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{seconds} s"
