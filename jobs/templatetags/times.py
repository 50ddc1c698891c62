"""Points in time, absolute and relative to now."""

from datetime import UTC, datetime
from html import escape

from django import template
from django.utils import timezone
from django.utils.safestring import SafeString

from jobs.display import formats
from providers.parsing.clock import is_ahead

register = template.Library()


@register.simple_tag
def ago(at: datetime | None) -> SafeString:
    """`3 min ago`, kept up to date by time.js; the tooltip has the absolute time."""
    if at is None:
        return SafeString("")
    now = timezone.now()
    extra = ' data-ago class="ahead"' if is_ahead(at, now) else " data-ago"
    return _time(at, formats.ago(at, now), SafeString(extra))


@register.filter
def is_in_future(at: datetime | None) -> bool:
    """Whether a provider reports a time that its clock alone has reached."""
    return at is not None and is_ahead(at, timezone.now())


@register.simple_tag
def moment(at: datetime | None) -> SafeString:
    """`2026-03-04 18:05:09 CET`, for tables where the order and the day count."""
    if at is None:
        return SafeString("")
    return _time(at, _absolute(timezone.localtime(at)), SafeString(""))


@register.simple_tag
def exact_moment(at: datetime) -> SafeString:
    """`2026-03-04 18:05:09.250`, for tables whose head names the time zone."""
    return _time(at, f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S.%f}"[:-3], SafeString(""))


@register.simple_tag
def clock(at: datetime | None) -> SafeString:
    """`18:05:09`, of a time that is near."""
    if at is None:
        return SafeString("")
    return _time(at, f"{timezone.localtime(at):%H:%M:%S}", SafeString(""))


@register.simple_tag
def short_moment(at: datetime) -> SafeString:
    """`18:05:09`, with the day where that is not today: `4 Mar, 18:05:09`."""
    local = timezone.localtime(at)
    is_today = local.date() == timezone.localtime().date()
    days = "" if is_today else f"{local.day} {local:%b}, "
    return _time(at, f"{days}{local:%H:%M:%S}", SafeString(""))


@register.simple_tag
def day(at: datetime | None) -> SafeString:
    """`4 Mar 2026`, where the hour does not matter."""
    if at is None:
        return SafeString("")
    local = timezone.localtime(at)
    return _time(at, f"{local.day} {local:%b %Y}", SafeString(""))


def _time(at: datetime, text: str, extra: SafeString) -> SafeString:
    """The element; its tooltip has the time in the person's time zone and in UTC."""
    local, in_utc = _absolute(timezone.localtime(at)), _absolute(at.astimezone(UTC))
    title = local if local == in_utc else f"{local} ({in_utc})"
    # a page has hundreds, and format_html takes three times as long
    return SafeString(f'<time datetime="{iso(at)}" title="{title}"{extra}>{escape(text)}</time>')


def _absolute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S %Z}"


@register.filter
def minutes(count: int) -> str:
    """`19 min`, `3 h 20 min`: so many minutes."""
    hours, rest = divmod(count, 60)
    parts = (f"{hours:,} h" if hours else "", f"{rest} min" if rest or not hours else "")
    return " ".join(filter(None, parts))


@register.filter
def time_left(at: datetime | None) -> str:
    """`5 h` until a time that is to come; empty for one that has passed."""
    now = timezone.now()
    return formats.age(at - now) if at is not None and at > now else ""


@register.filter
def iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
