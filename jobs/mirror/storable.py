"""Values that a provider chose, as our columns can hold them."""

import math
from collections.abc import Mapping
from typing import Any

from django.db import models

from providers.http.redaction import CUT, MAX_DEPTH
from providers.parsing.text import make_storable


def fit_to_column(model: type[models.Model], column: str, value: Any) -> Any:
    """`value` as the column can hold it: text storable and cut, None for a number out of range."""
    column_field = model._meta.get_field(column)
    if isinstance(value, str):
        return make_storable(value)[: getattr(column_field, "max_length", None)]
    if isinstance(column_field, models.JSONField):
        return clean_json(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(column_field, models.FloatField):
        return value if math.isfinite(value) else None
    bits = 63 if isinstance(column_field, models.BigIntegerField) else 31
    smallest = 0 if column_field.get_internal_type().startswith("Positive") else -(2**bits)
    return value if smallest <= value < 2**bits else None


def clean_json(value: Any, depth: int = MAX_DEPTH) -> Any:
    """A JSON value as PostgreSQL's jsonb accepts it: NUL and lone surrogates spelled out, no NaN.

    What lies deeper than `depth` becomes CUT: recursing into it could exhaust the stack.
    """
    if isinstance(value, str):
        return make_storable(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping | list | tuple) and depth == 0:
        return CUT
    if isinstance(value, Mapping):
        return {make_storable(str(key)): clean_json(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [clean_json(item, depth - 1) for item in value]
    return value
