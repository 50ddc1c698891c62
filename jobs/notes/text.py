"""The text of a note: what may be stored, and what is in it when it is shown."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from organizations.fields import normalize_email
from providers.parsing.text import make_visible
from providers.parsing.urls import parse_url

MAX_TEXT = 4_000
# but for tabs and line breaks; what changes the direction of text is visible when it is shown
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")

# `@` and an e-mail address, but not the second half of one
_MENTION = r"(?<![\w.+@-])@(?P<email>[\w.+'-]+@[\w-]+(?:\.[\w-]+)+)"
_URL = r"(?P<url>https?://[^\s<>\"]+)"
_PARTS = re.compile(f"{_URL}|{_MENTION}", re.IGNORECASE)
# What ends a sentence around a URL more often than the URL itself
_CLOSING = ".,;:!?'\"*_"
_BRACKETS = {")": "(", "]": "[", "}": "{"}


def clean_text(text: str) -> str:
    """The text as it is stored. Raises ValueError with a sentence for what is none."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if not any(one.isprintable() and not one.isspace() for one in text):
        raise ValueError("Write something.")
    if len(text) > MAX_TEXT:
        raise ValueError(f"Use {MAX_TEXT:,} characters at most; these are {len(text):,}.")
    if _CONTROL.search(text):
        raise ValueError("Remove the control characters.")
    return text


def find_emails(text: str) -> set[str]:
    """The addresses behind each `@`, of whomever they are, as members' addresses are stored."""
    found = (part["email"] for part in _PARTS.finditer(text))
    return {normalize_email(email) for email in found if email}


@dataclass(frozen=True, slots=True)
class TextPart:
    """A piece of a note: plain, a link with its `url`, or a mention with the `member`'s name."""

    text: str
    url: str = ""
    member: str = ""


def split_text(text: str, members: Mapping[str, str]) -> Iterator[TextPart]:
    """The pieces in their order. `members` has the names of those mentioned, by their address.

    Only web links that a browser can be sent to are links, and only members are mentions: anything
    else is text.
    """
    text = make_visible(text)
    at = 0
    for found in _PARTS.finditer(text):
        part = _read_part(found, members)
        if part is None:
            continue
        if found.start() > at:
            yield TextPart(text[at : found.start()])
        yield part
        at = found.start() + len(part.text)
    if at < len(text):
        yield TextPart(text[at:])


def _read_part(found: re.Match[str], members: Mapping[str, str]) -> TextPart | None:
    if url := found["url"]:
        url = _trim(url)
        return TextPart(url, url=url) if parse_url(url).is_web else None
    member = members.get(normalize_email(found["email"]))
    return TextPart(found[0], member=member) if member else None


def _trim(url: str) -> str:
    """The URL without the punctuation of the sentence that it is in."""
    while url:
        last = url[-1]
        opening = _BRACKETS.get(last)
        is_unopened = opening is not None and url.count(last) > url.count(opening)
        if last not in _CLOSING and not is_unopened:
            break
        url = url[:-1]
    return url
