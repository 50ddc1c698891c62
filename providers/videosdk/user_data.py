"""The customer's `userData` and our key in it, both whole.

It is an object. The customer's own object gets one member more; a value of another kind, or an
object that uses our names itself, becomes one member of an object of ours.
"""

import re
from typing import Any

KEY = "reelboard"
VALUE = "reelboard_value"

_KEY_TEXT = re.compile(r"[\w-]{1,64}", re.ASCII)


def write(metadata: Any, key: str | None) -> dict[str, Any] | None:
    """Make the object to send; None where there is neither metadata nor a key."""
    is_plain = isinstance(metadata, dict) and not {KEY, VALUE} & metadata.keys()
    sent: dict[str, Any] = dict(metadata) if is_plain else {}
    if metadata is not None and not is_plain:
        sent[VALUE] = metadata
    if key:
        sent[KEY] = key
    return sent or None


def read(told: Any) -> tuple[Any, str | None]:
    """Take our key off: (the customer's own value, the key). What is not ours stays as it is."""
    key = told.get(KEY) if isinstance(told, dict) else None
    if not (isinstance(key, str) and _KEY_TEXT.fullmatch(key)):
        return told, None
    rest = {name: value for name, value in told.items() if name != KEY}
    return (rest[VALUE] if rest.keys() == {VALUE} else rest or None), key
