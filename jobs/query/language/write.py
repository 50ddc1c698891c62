"""Writes the tree of a query as text, which `parse` reads back into the same tree."""

import re
from dataclasses import replace
from datetime import datetime, tzinfo

from jobs.query.language import conditions
from jobs.query.language.grammar import parse
from jobs.query.language.keys import KEYS
from jobs.query.language.scanner import QUOTES
from jobs.query.language.times import fix_date
from jobs.query.language.tree import And, Filter, Node, Not, Or, QueryError, Text, Value

_MARKED = re.compile(rf"[\\{QUOTES}]")


def write(node: Node | None) -> str:
    """The query as one would type it; empty for None."""
    match node:
        case None:
            return ""
        case Text():
            return node.text if _is_read_as(node, node.text) else quote(node.text)
        case Filter():
            return f"{node.key}:{','.join(_value(node.key, value) for value in node.values)}"
        case Not():
            return f"-{_group(node.node, (And, Or))}"
        case And():
            return " ".join(_group(inner, (Or,)) for inner in node.nodes)
        case Or():
            return " OR ".join(map(write, node.nodes))


def _group(node: Node, kinds: tuple[type, ...]) -> str:
    return f"({write(node)})" if isinstance(node, kinds) else write(node)


def _value(key: str, value: Value) -> str:
    if value.operator == "..":
        return f"{value.text}..{value.upper}"
    star = "*" if value.is_prefix else ""
    bare, quoted = (f"{value.operator}{text}{star}" for text in (value.text, quote(value.text)))
    return bare if _is_read_as(Filter(key, (value,)), f"{key}:{bare}") else quoted


def _is_read_as(node: Node, text: str) -> bool:
    """Whether `text` is read as `node`, wherever it stands: last in parentheses, or negated."""
    try:
        return not text.startswith("-") and parse(f"({text})") == node
    except QueryError:
        return False


def quote(text: str) -> str:
    escaped = _MARKED.sub(r"\\\g<0>", text)
    return f'"{escaped}"'


def fix_dates(node: Node | None, zone: tzinfo, now: datetime) -> Node | None:
    """The query with its dates as times with an offset, which are the same for every reader.

    Ages and `today` stay as they are. Raises QueryError for a time that cannot be read.
    """
    match node:
        case Filter() if KEYS[node.key].condition is conditions.time:
            return replace(node, values=tuple(fix_date(one, zone, now) for one in node.values))
        case Not():
            return Not(_fix(node.node, zone, now))
        case And() | Or():
            return type(node)(tuple(_fix(inner, zone, now) for inner in node.nodes))
    return node


def _fix(node: Node, zone: tzinfo, now: datetime) -> Node:
    return fix_dates(node, zone, now) or node
