"""Text that others chose, and JSON: shown so that nothing in it misleads."""

import json
from typing import Any

from django import template
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString

from jobs.display.names import split_name
from jobs.display.provider_text import copyable, provider_text, visible
from jobs.models import Note
from jobs.notes.text import TextPart, split_text
from providers.http.redaction import REDACTED
from providers.parsing.text import make_visible

register = template.Library()

# Beyond it a page shows plain JSON: providers nest as deep as they like.
TREE_DEPTH = 12
TREE_TEXT = 2000

register.filter("provider_text", provider_text)
register.filter("visible", visible)
register.filter("copyable", copyable)


@register.simple_tag
def tree(value: Any, depth: int = 0) -> SafeString:
    """JSON as nested lists of named parts; below TREE_DEPTH, as JSON."""
    parts = _branches(value) if depth < TREE_DEPTH else []
    if not parts:
        return format_html(
            '<span class="tree-value">{}</span>',
            provider_text(json_text(value), TREE_TEXT),
        )
    return format_html(
        '<ul class="tree">{}</ul>',
        format_html_join(
            "",
            '<li><span class="tree-name">{}</span> {}</li>',
            ((provider_text(name), tree(part, depth + 1)) for name, part in parts),
        ),
    )


def _branches(value: Any) -> list[tuple[str, Any]]:
    """The named parts of a JSON object or array; empty for plain values and lists of these."""
    if isinstance(value, dict):
        return [(str(key), part) for key, part in value.items()]
    if isinstance(value, list) and any(isinstance(part, dict | list) for part in value):
        return [(str(number), part) for number, part in enumerate(value, start=1)]
    return []


@register.filter
def json_text(value: Any) -> str:
    """A plain JSON value as JSON writes it, but text without quotes; `{}` and `[]` when empty.

    Several plain values are on one line.
    """
    if isinstance(value, list) and value:
        return ", ".join(map(json_text, value))
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@register.simple_tag
def cut_name(name: Any) -> SafeString:
    """A name that is cut in its middle where room is short (`.cut` in board.css)."""
    head, tail = split_name(visible(name))
    return format_html(
        '<bdi class="cut"><span class="cut-head">{}</span><span class="cut-tail">{}</span></bdi>',
        head,
        tail,
    )


@register.filter
def initials(name: Any) -> str:
    """`MK` for Mara Kowalski: the first letters of the first and the last word."""
    words = str(name).split()
    return "".join(word[0] for word in dict.fromkeys([*words[:1], *words[-1:]])).upper()


@register.filter
def given(settings: dict[str, Any]) -> dict[str, Any]:
    """What was set of settings: neither null nor empty, at any depth."""
    parts = {
        name: given(part) if isinstance(part, dict) else part for name, part in settings.items()
    }
    return {name: part for name, part in parts.items() if part not in (None, [], {}, "")}


@register.simple_tag
def note_text(note: Note) -> SafeString:
    """The text of a note with its links and mentions; line breaks are the style sheet's."""
    people = [mention.membership.user for mention in note.mentions.all()]
    names = {user.email: user.display_name for user in people}
    parts = (_note_part(part) for part in split_text(note.text, names))
    return format_html("<bdi>{}</bdi>", format_html_join("", "{}", ((part,) for part in parts)))


def _note_part(part: TextPart) -> str:
    if part.url:
        link = '<a href="{}" rel="noopener noreferrer nofollow">{}</a>'
        return format_html(link, part.url, part.text)
    if part.member:
        mention = '<span class="mention" title="{}">@{}</span>'
        return format_html(mention, part.text, provider_text(part.member))
    return part.text


@register.filter
def mark_redacted(text: str) -> SafeString:
    """Text with what was taken out of it made visible as such."""
    mark = f"<mark>{REDACTED}</mark>"
    return SafeString(escape(make_visible(text)).replace(REDACTED, mark))
