"""The ids that MongoDB makes, which several providers return as they are."""

import re
from datetime import datetime
from typing import Any

from providers.parsing.times import read_epoch_s

_OBJECT_ID = re.compile(r"[0-9a-f]{24}", re.IGNORECASE | re.ASCII)


def is_object_id(value: Any) -> bool:
    """Whether this is such an id: 24 hexadecimal digits."""
    return isinstance(value, str) and _OBJECT_ID.fullmatch(value) is not None


def read_id_time(value: Any) -> datetime | None:
    """Read when an id was made: its first eight digits are seconds since 1970."""
    return read_epoch_s(int(value[:8], 16)) if is_object_id(value) else None
