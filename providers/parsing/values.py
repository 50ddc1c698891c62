"""Total readers of what providers send: any value in, the requested type or None out.

None means "not reported"; a value that makes no sense reports nothing.
"""

import math
import re
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, TypeVar

from providers.parsing.text import make_storable, make_storable_id

# What a bigint column holds.
MAX_INT = 2**63 - 1

# Of the outputs, presets and errors of one job each: far more than any provider makes.
MAX_ITEMS = 1000

# Names, labels, statuses and provider messages; a body is kept elsewhere.
TEXT_LENGTH = 2000

# Longer ids are distinguished by what comes before.
MAX_ID_TEXT = 10_000

T = TypeVar("T")

_WHOLE_NUMBER = re.compile(r"[+-]?\d+", re.ASCII)
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


def read_dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def read_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def limit_items(items: Iterable[T]) -> tuple[T, ...]:
    """Keep the first MAX_ITEMS of a job's outputs, presets or errors."""
    return tuple(islice(items, MAX_ITEMS))


def read_text(value: Any, max_length: int = TEXT_LENGTH) -> str | None:
    """Read a text or a number as a stripped text; None when nothing is left of it."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, int) and abs(value) > MAX_INT:
        return None
    return make_storable(str(value)[: 2 * max_length]).strip()[:max_length] or None


def read_id(value: Any) -> str | None:
    """Read an id as text: text, or a whole number of up to 64 bits. A fraction is not an id."""
    if isinstance(value, float):
        return None
    text = read_text(value, MAX_ID_TEXT)
    return text and make_storable_id(text)


def read_float(value: Any) -> float | None:
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()) and len(value) <= 64:
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and abs(value) > MAX_INT:
        return None
    number = float(value)
    return number if math.isfinite(number) and abs(number) <= MAX_INT else None


def read_int(value: Any) -> int | None:
    """Read a whole number that fits 64 bits; fractions are rounded."""
    if isinstance(value, str) and len(value) <= 64 and _WHOLE_NUMBER.fullmatch(value.strip()):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) <= MAX_INT else None
    number = read_float(value)
    return None if number is None or abs(number) >= MAX_INT else round(number)


def read_count(value: Any) -> int | None:
    """Read a size, width, bitrate: a whole number that is not negative."""
    number = read_int(value)
    return number if number is not None and number >= 0 else None


def read_bool(value: Any) -> bool | None:
    """Read true and false, also as text or as 1 and 0."""
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    return known.get(str(value).strip().lower()) if isinstance(value, bool | int | str) else None


def read_progress(value: Any) -> float | None:
    """Read a percentage (`32.3`, `"32.3"`, `"42%"`) into 0-100."""
    if isinstance(value, str):
        value = value.strip().removesuffix("%")
    number = read_float(value)
    return None if number is None else min(max(number, 0.0), 100.0)
