"""The customer's value and our key in one text, where the provider keeps no object for them.

Our key is at the end, behind the customer's own text.
"""

import json
import re
from typing import Any

KEY_PREFIX = "rb:"
UNIT = "characters"

_TEXT_AND_KEY = re.compile(r"(?:(.*) )?rb:([\w-]{1,64})", re.DOTALL | re.ASCII)


def write(metadata: Any, key: str | None) -> str:
    """Make the text to send; empty where there is neither metadata nor a key."""
    parts = [_to_text(metadata), f"{KEY_PREFIX}{key}" if key else ""]
    return " ".join(part for part in parts if part)


def read(value: Any) -> tuple[Any, str | None]:
    """Take our key off: (the customer's own value, the key). What is not ours stays as it is.

    `value` is the original: within a redacted one our key may have been taken for a part of a
    secret, and a key that is missing is proof that nothing was submitted.
    """
    found = _TEXT_AND_KEY.fullmatch(value) if isinstance(value, str) else None
    return (found[1], found[2]) if found else (value, None)


def measure(value: Any) -> int:
    return len(value) if isinstance(value, str) else 0


def _to_text(metadata: Any) -> str:
    """What is not a text is kept as JSON."""
    if metadata is None or isinstance(metadata, str):
        return metadata or ""
    return json.dumps(metadata, ensure_ascii=False, separators=(",", ":"), default=str)
