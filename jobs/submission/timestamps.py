"""Times in a video at which thumbnails are made."""

import re
from typing import Any

MAX_TIMESTAMPS = 100
MAX_TIME_S = 86_400
CLOCK_PATTERN = r"^(([01]?[0-9]|2[0-3]):)?[0-5]?[0-9]:[0-5]?[0-9](\.[0-9]{1,3})?$"
RULE = "Give seconds, or a time such as 00:01:30, up to 24 hours."


def read_timestamp(value: Any) -> float:
    """The seconds of a number, or of a text such as `00:01:30`. Raises ValueError with RULE."""
    seconds = -1.0
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and re.fullmatch(CLOCK_PATTERN, value):
        seconds = 0.0
        for part in value.split(":"):
            seconds = seconds * 60 + float(part)
    if not 0 <= seconds <= MAX_TIME_S:
        raise ValueError(RULE)
    return seconds


def write_timestamp(seconds: float) -> str:
    """As people write it: `1:30`, and `1.25` where it is no whole second."""
    if seconds % 1:
        return str(seconds)
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
