"""The form in which text is searched: what is stored and what is asked for are brought into it."""

import unicodedata
from functools import lru_cache
from urllib.parse import unquote

# what nobody sees: zero-width characters and byte-order marks, and what stands for no character
_UNSEEN = frozenset({"Cf", "Cn", "Co", "Cs"})
_VARIATION_SELECTORS = range(0xFE00, 0xFE10)
# the capital letter of both i's is I
_DOTLESS_I = "\u0131"


def normalize(text: str) -> str:
    """Return `text` without case, accents, percent-encoding and what nobody sees.

    White space, control characters included, becomes one blank.
    """
    if "%" in text:
        text = unquote(text)
    if not text.isascii():
        # twice, since folding the case of some characters composes or decomposes them again
        for _ in range(2):
            text = "".join(map(_fold, unicodedata.normalize("NFKD", text)))
    text = text.casefold()
    if not text.isprintable():
        text = "".join(char if char.isprintable() else " " for char in text)
    return " ".join(text.split())


@lru_cache(maxsize=4096)
def _fold(char: str) -> str:
    is_mark = unicodedata.combining(char) or ord(char) in _VARIATION_SELECTORS
    if is_mark or unicodedata.category(char) in _UNSEEN:
        return ""
    return "i" if char == _DOTLESS_I else char.casefold()
