"""The customer's value and our key side by side, where the provider keeps an object for them.

The customer's own object gets one more member. A value of another kind, or an object that uses
our names itself, becomes one member of our object.
"""

import json
import re
from typing import Any

KEY = "reelboard"
VALUE = "reelboard_value"
UNIT = "bytes"

_KEY_TEXT = re.compile(r"[\w-]{1,64}", re.ASCII)


def write(metadata: Any, key: str | None) -> dict[str, Any] | None:
    """Make the object to send; None where there is neither metadata nor a key."""
    sent: dict[str, Any] = {}
    if isinstance(metadata, dict) and metadata and not {KEY, VALUE} & metadata.keys():
        sent |= metadata
    elif metadata is not None:
        sent[VALUE] = metadata
    if key:
        sent[KEY] = key
    return sent or None


def read(value: Any) -> tuple[Any, str | None]:
    """Take our key off: (the customer's own value, the key). What is not ours stays as it is.

    `value` is the original, not a redacted one: a key that is lost is not found again.
    """
    if not isinstance(value, dict):
        return value, None
    key = value.get(KEY)
    if KEY in value and not (isinstance(key, str) and _KEY_TEXT.fullmatch(key)):
        return value, None
    rest = {name: part for name, part in value.items() if name != KEY}
    if rest.keys() == {VALUE}:
        return rest[VALUE], key
    return (rest or None) if key else rest, key


def measure(sent: Any) -> int:
    """Bytes of the longest form in which the object may be counted: spaced, and in ASCII."""
    return len(json.dumps(sent, default=str))
