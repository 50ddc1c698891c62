"""Tables of the page of statistics."""

from collections.abc import Mapping
from typing import Any

from django import template

register = template.Library()


@register.filter
def table_named(tables: Mapping[str, Any], name: str) -> Any:
    """None for one that is sent when somebody opens it."""
    return tables.get(name)
