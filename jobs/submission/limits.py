"""Limits of a job request: the same for the form, the API and the command."""

import json
import math
import re
from collections import Counter
from typing import Any

from providers.parsing.text import make_visible

MAX_HEIGHT = 4_320
MAX_JSON_BYTES = 16_384
MAX_JSON_DEPTH = 20
MAX_SHOWN = 50


class NotJson(ValueError):
    """Says why, without a full stop."""


class MalformedJson(NotJson):
    """Says where."""


def read_json(text: str | bytes) -> Any:
    """The value of strict JSON. Raises NotJson."""
    try:
        return json.loads(
            text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_duplicates
        )
    except NotJson:
        raise
    except RecursionError:
        raise NotJson("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise MalformedJson(f"see line {error.lineno}, column {error.colno}") from None
    except UnicodeDecodeError:
        raise NotJson("it is not UTF-8") from None
    except ValueError:  # Python reads no number of more than 4,300 digits
        raise NotJson("it has a number with too many digits") from None


def _refuse_constant(name: str) -> None:
    raise NotJson(f"{name} is not JSON")


def _refuse_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Else the last of them would win, and what the others say would be lost in silence."""
    value = dict(pairs)
    if len(value) < len(pairs):
        [(name, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise NotJson(f'an object has the key "{make_visible(name[:MAX_SHOWN])}" more than once')
    return value


def check_json(value: Any) -> Any:
    """Return `value`, unless it is too large, or holds what a JSON column cannot store.

    Raises ValueError with a sentence.
    """
    if _depth(value) > MAX_JSON_DEPTH:
        raise ValueError(f"Nest at most {MAX_JSON_DEPTH} levels deep.")
    if len(json.dumps(value).encode()) > MAX_JSON_BYTES:
        raise ValueError(f"Use at most {MAX_JSON_BYTES} bytes of JSON.")
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
