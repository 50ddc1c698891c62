"""Text that others wrote, made fit to be stored, to be read, and to be on one line.

What cannot stay as it is becomes visible, spelled as JSON escapes it: `\\u0000`, `\\u202e`.
"""

import hashlib
import re

# The length of the columns that hold a provider's id.
ID_LENGTH = 255

# NUL and lone surrogates: JSON carries them, and no database column holds them.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

# Control characters, but for tab and line feed, which are white space; line and paragraph
# separators; everything that changes the direction of the text after it (Unicode's Bidi_Control).
_HIDDEN_RANGES = r"\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_HIDDEN = re.compile(rf"[{_HIDDEN_RANGES}\ud800-\udfff]")
# For JSON Schema, whose texts have no lone surrogates
VISIBLE_PATTERN = rf"^[^{_HIDDEN_RANGES}]*$"
VISIBLE_ID_PATTERN = rf"^\s*[^\s{_HIDDEN_RANGES}]+\s*$"


def make_storable(text: str) -> str:
    """Return `text` with NUL and lone surrogates spelled out. Storing it again changes nothing."""
    return _UNSTORABLE.sub(_escape, text)


def make_storable_id(text: str) -> str:
    """Return an id as its column holds it: one that is too long is cut, and stays unique."""
    text = make_storable(text)
    if len(text) <= ID_LENGTH:
        return text
    digest = hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
    return f"{text[: ID_LENGTH - len(digest) - 1]}~{digest}"


def is_storable(text: str) -> bool:
    return _UNSTORABLE.search(text) is None


def make_visible(text: str) -> str:
    """Return `text` with control and direction characters spelled out."""
    return _HIDDEN.sub(_escape, text.replace("\r\n", "\n"))


def find_hidden(text: str) -> list[str]:
    """Return the characters that make_visible spells out."""
    return _HIDDEN.findall(text)


def make_one_line(text: str) -> str:
    """Return a message without control characters: white space is a blank, the rest is visible."""
    return make_visible(" ".join(text.split()))


def _escape(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
