"""The customer's value and our key in one text, where the provider keeps no object for them.

Our key ends the text, behind the customer's own words.
"""

import json
import re
from typing import Any

KEY_PREFIX = "rb:"

_TEXT_AND_KEY = re.compile(r"(?:(.*) )?rb:([\w-]{1,64})", re.DOTALL | re.ASCII)


def write(metadata: Any, key: str | None) -> str:
    """Make the text to send; empty where there is neither metadata nor a key."""
    words = [_to_text(metadata), f"{KEY_PREFIX}{key}" if key else ""]
    return " ".join(word for word in words if word)


def read(told: Any) -> tuple[Any, str | None]:
    """Take our key off: (the customer's own value, the key). What is not ours stays as it is.

    `told` is the value as it came: within a redacted one our key may have been taken for a part
    of a secret, and a key that is missing is proof that nothing was submitted.
    """
    found = _TEXT_AND_KEY.fullmatch(told) if isinstance(told, str) else None
    return (found[1], found[2]) if found else (told, None)


def _to_text(metadata: Any) -> str:
    """What is not a text is kept as JSON."""
    if metadata is None or isinstance(metadata, str):
        return metadata or ""
    return json.dumps(metadata, ensure_ascii=False, separators=(",", ":"), default=str)
