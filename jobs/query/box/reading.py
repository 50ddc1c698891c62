"""Describes a query in plain text, ages as times, so that people see how it was understood."""

from collections.abc import Sequence
from datetime import datetime

from jobs.query.language import conditions
from jobs.query.language.context import Context
from jobs.query.language.keys import KEYS
from jobs.query.language.times import Range, read_times
from jobs.query.language.tree import And, Filter, Node, Not, Or, Text, Value, terms_of
from providers.core import registry
from providers.core.errors import CLASSES

_COMPARED = {">": "more than", ">=": "at least", "<": "less than", "<=": "at most"}


def read_query(tree: Node | None, context: Context) -> str:
    """`failed · created after 16 Nov 2026, 10:42`; empty for words alone. Raises QueryError."""
    terms = terms_of(tree)
    if all(isinstance(term, Text) for term in terms):
        return ""
    return " · ".join(_read(term, context) for term in terms)


def _read(node: Node, context: Context) -> str:
    match node:
        case Text():
            return f"text “{node.text}”"
        case Filter():
            return _read_filter(node, context)
        case Not():
            inner = _read(node.node, context)
            return f"not ({inner})" if isinstance(node.node, And | Or) else f"not {inner}"
        case And():
            return " and ".join(
                f"({_read(one, context)})" if isinstance(one, Or) else _read(one, context)
                for one in node.nodes
            )
        case Or():
            return " or ".join(_read(one, context) for one in node.nodes)


def _read_filter(given: Filter, context: Context) -> str:
    key = KEYS[given.key]
    if key.condition is conditions.time:
        ranges = (read_times(value, context.zone, context.now) for value in given.values)
        return f"{given.key} {_any([_read_times(one, context) for one in ranges])}"
    if key.is_range:
        return f"{given.key} {_any([_read_length(value) for value in given.values])}"
    values = [f"{value.text}{'*' if value.is_prefix else ''}" for value in given.values]
    if given.key == "provider":
        labels = {slug: registry.get_or_removed(slug).label for _, _, slug in context.accounts()}
        values = [labels.get(text.lower(), text) for text in values]
    if given.key == "error":
        values = [
            CLASSES[text.lower()].title if text.lower() in CLASSES else text for text in values
        ]
    before = {
        "status": "",
        "is": "",
        "provider": "at ",
        "by": "submitted by ",
        "assigned": "assigned to ",
        "has": "has ",
    }
    return before.get(given.key, f"{given.key} ") + _any(values)


def _any(texts: Sequence[str]) -> str:
    return " or ".join(texts)


def _read_length(value: Value) -> str:
    if value.operator == "..":
        sides = [f"at least {value.text}"] if value.text else []
        sides += [f"less than {value.upper}"] if value.upper else []
        return " and ".join(sides)
    return f"{_COMPARED.get(value.operator, '')} {value.text}".strip()


def _read_times(times: Range[datetime], context: Context) -> str:
    def write(at: datetime) -> str:
        local = at.astimezone(context.zone)
        return f"{local.day} {local:%b %Y, %H:%M}"

    if times.start and times.end:
        return f"from {write(times.start)} until {write(times.end)}"
    if times.start:
        return f"after {write(times.start)}"
    return f"before {write(times.end)}" if times.end else "at any time"
