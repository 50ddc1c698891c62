"""Limits of a job request: the same for the form, the API and the command."""

import json
import math
import re
from typing import Any

MAX_HEIGHT = 4_320
MAX_JSON_BYTES = 16_384
MAX_JSON_DEPTH = 20


def read_json(text: str | bytes) -> Any:
    """The value of strict JSON. Raises ValueError with the reason, which has no full stop."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def check_json(value: Any) -> Any:
    """Return `value`, unless it is too large, or holds what a JSON column cannot store.

    Raises ValueError with a sentence.
    """
    if _depth(value) > MAX_JSON_DEPTH:
        raise ValueError(f"Nest at most {MAX_JSON_DEPTH} levels deep.")
    if len(json.dumps(value).encode()) > MAX_JSON_BYTES:
        raise ValueError(f"Give at most {MAX_JSON_BYTES} bytes of JSON.")
    if not _is_storable(value):
        raise ValueError("Remove NUL characters, unpaired surrogates and infinite numbers.")
    return value


def _depth(value: Any) -> int:
    depth, level = 0, [value]
    while level:
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.values()
            elif isinstance(item, list):
                inner += item
        depth, level = depth + 1, inner
    return depth


def _is_storable(value: Any) -> bool:
    if isinstance(value, str):
        return not re.search("[\x00\ud800-\udfff]", value)
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_storable, (*value, *value.values())))
    if isinstance(value, list):
        return all(map(_is_storable, value))
    return True
