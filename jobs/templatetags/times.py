"""Points in time, absolute and relative to now."""

from datetime import UTC, datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
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
    """`2026-03-04 17:05:09 UTC`, for tables where the order and the day count."""
    if at is None:
        return SafeString("")
    return _time(at, f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC", SafeString(""))


@register.simple_tag
def day(at: datetime | None) -> SafeString:
    """`4 Mar 2026`, where the hour does not matter; the tooltip has it."""
    if at is None:
        return SafeString("")
    local = timezone.localtime(at)
    return _time(at, f"{local.day} {local:%b %Y}", SafeString(""))


def _time(at: datetime, text: str, extra: SafeString) -> SafeString:
    at = at.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        f"{at:%Y-%m-%dT%H:%M:%SZ}",
        f"{at:%Y-%m-%d %H:%M:%S} UTC",
        extra,
        text,
    )


@register.filter
def iso(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
