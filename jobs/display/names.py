"""Names that are cut in their middle where room is short: their end tells them apart."""

import unicodedata

from jobs.display.provider_text import SHOWN_LENGTH

# Characters that stay whole at the end; fewer where they are twice as wide.
TAIL = 15
WIDE_TAIL = 8
# What is not longer fits nearly always, and is not taken apart.
WHOLE = 20
_ZERO_WIDTH_JOINER = "\u200d"


def split_name(name: str) -> tuple[str, str]:
    """The head, which may be cut, and the tail, which stays. Text from right to left has no tail:
    it is cut at its end.
    """
    shown = name if len(name) <= SHOWN_LENGTH else name[:SHOWN_LENGTH] + "…"
    is_wide = any(unicodedata.east_asian_width(one) in "WF" for one in shown)
    if len(shown) <= (WHOLE // 2 if is_wide else WHOLE) or _is_right_to_left(shown):
        return shown, ""
    at = len(shown) - (WIDE_TAIL if is_wide else TAIL)
    while at > 1 and _continues(shown, at):
        at -= 1
    return shown[:at], shown[at:]


def _is_right_to_left(text: str) -> bool:
    return any(unicodedata.bidirectional(one) in ("R", "AL") for one in text)


def _continues(text: str, at: int) -> bool:
    """Whether what is at `at` belongs to the character before it."""
    is_mark = unicodedata.category(text[at]) in ("Mn", "Me", "Mc")
    return is_mark or _ZERO_WIDTH_JOINER in (text[at], text[at - 1])
