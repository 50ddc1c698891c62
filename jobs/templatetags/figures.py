"""Figures with their units."""

from django import template

from jobs.display import formats
from jobs.query.counts import Count

register = template.Library()

register.filter("duration", formats.duration)
register.filter("size", formats.size)
register.filter("bitrate", formats.bitrate)


@register.filter
def count(number: Count) -> str:
    """`1,234`, and `10,000+` where counting stopped."""
    return f"{number.value:,}{'+' if number.capped else ''}"


@register.filter
def thousands(number: int) -> str:
    """`1,234`."""
    return f"{number:,}"


@register.filter
def percent(part: float | None) -> str:
    """`98%`, and `99.7%` near the ends, where rounding would claim all or nothing."""
    if part is None:
        return ""
    places = 0 if part in (0, 1) or 0.01 <= part <= 0.99 else 1
    # never rounded up to all, or down to nothing
    shown = min(max(part * 100, 0.1), 99.9) if 0 < part < 1 else part * 100
    return f"{shown:.{places}f}%"
