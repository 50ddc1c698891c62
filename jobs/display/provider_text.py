"""How pages print text that a provider, or anybody else outside, chose.

It is isolated, so that its direction changes nothing around it, and what the eye would miss or
be misled by is visible (`providers.parsing.text`).
"""

from html import escape
from typing import Any
from urllib.parse import quote

from django.utils.html import format_html
from django.utils.safestring import SafeString

from providers.parsing.text import find_hidden, make_visible

# What is longer is cut, with the full text in the tooltip; beyond that, only its beginning.
SHOWN_LENGTH = 500
TOOLTIP_LENGTH = 10_000


def provider_text(value: Any, shown: int = SHOWN_LENGTH) -> SafeString:
    """`value` as the content of an element; empty for None and for an empty text."""
    text = visible(value)
    if len(text) <= shown:
        # a page of rows has hundreds, and format_html takes three times as long
        return SafeString(f"<bdi>{escape(text)}</bdi>" if text else "")
    return format_html('<bdi title="{}">{}…</bdi>', text, text[:shown])


def visible(value: Any) -> str:
    """`value` for attributes and titles, which hold no elements."""
    text = "" if value is None else str(value)
    return make_visible(text[:TOOLTIP_LENGTH])


def copyable(value: Any) -> str:
    """`value` to be copied: in a URL, what is invisible is percent-encoded, and so still right."""
    text = "" if value is None else str(value)
    if "://" not in text:
        return make_visible(text)
    for hidden in set(find_hidden(text)):
        text = text.replace(hidden, quote(hidden, errors="replace"))
    return text
