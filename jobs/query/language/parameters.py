"""The filters of a query that are parameters of the list as well, and the way back.

A list knows its filters by its parameters (`status=failed`), whether they were given so or in the
text (`status:failed`). Whatever a parameter cannot say stays in the query.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from jobs.query.language import conditions
from jobs.query.language.context import Context
from jobs.query.language.keys import KEYS
from jobs.query.language.times import (
    DAYS,
    fix_date,
    is_moving,
    read_moment,
    read_times,
    write_time,
)
from jobs.query.language.tree import Filter, Node, Not, Value, join, leaves, terms_of
from jobs.query.paging.orderings import SORT_TIMES
from jobs.query.parameters import MAX_TEXT, MAX_VALUES, read_time
from providers.core.errors import CLASSES
from providers.core.status import JobStatus

Params = dict[str, list[str]]

# the parameters that are true or false, and those that take several values, with their keys
FLAGS = ("gone", "unresolved", "partial", "suspect", "stuck")
_NAMES = {
    "status": "status",
    "provider": "provider",
    "account": "account",
    "error": "error",
    "error_group": "error_group",
    "batch": "batch",
    "preset": "preset",
    "submitted_by": "by",
    "assigned": "assigned",
}


@dataclass(frozen=True, slots=True)
class Split:
    """A query as parameters with the filters that they come from, and what is left of it."""

    params: Mapping[str, list[str]]
    sources: Mapping[str, Filter]
    rest: Node | None


def fix_params(params: Mapping[str, list[str]], zone: tzinfo, now: datetime) -> Params:
    """`params` with dates and times in `zone` as times with an offset, if they can be read."""
    return {
        name: [_fix_time(text, zone, now) for text in texts] if _is_time(name) else texts
        for name, texts in params.items()
    }


def _is_time(name: str) -> bool:
    key, _, side = name.rpartition("_")
    return key in SORT_TIMES and side in ("after", "before")


def _fix_time(text: str, zone: tzinfo, now: datetime) -> str:
    try:
        return text if is_moving(text) else write_time(read_moment(text, zone, now).start, zone)
    except ValueError:
        return text


def split(node: Node | None, taken: Iterable[str], context: Context) -> Split:
    """Take out what parameters say, but for those that are `taken`. Raises QueryError."""
    params: Params = {}
    sources: dict[str, Filter] = {}
    rest = []
    taken = set(taken)
    for term in terms_of(node):
        found = _as_params(term, context)
        if not found or taken & found.keys():
            rest.append(term)
            continue
        params |= found
        taken |= found.keys()
        sources |= {
            name: leaf for name in found for leaf in leaves(term) if isinstance(leaf, Filter)
        }
    return Split(params, sources, join(rest))


def _as_params(term: Node, context: Context) -> Params | None:
    """The parameters that say the same as `term`, if there are such."""
    if isinstance(term, Not):
        return _flag_params(term.node, "false") if isinstance(term.node, Filter) else None
    if not isinstance(term, Filter) or len(term.values) > MAX_VALUES:
        return None
    if any(len(value.text) > MAX_TEXT for value in term.values):
        return None
    if KEYS[term.key].condition is conditions.time:
        return _time_params(term, context) if len(term.values) == 1 else None
    if term.key == "is":
        return _flag_params(term, "true")
    values = [_write_value(term.key, value) for value in term.values]
    names = {key: name for name, key in _NAMES.items() if key != "preset"}
    if term.key not in names or None in values:
        return None
    return {names[term.key]: [text for several in values if several for text in several]}


def _write_value(key: str, value: Value) -> list[str] | None:
    if key == "status":
        return conditions.choose(value, JobStatus, "status")
    if key == "error" and value.text:
        names = conditions.choose(value, CLASSES, "error class", lists=False)
        return [f"{value.text.lower()}*"] if value.is_prefix and value.text.endswith(".") else names
    if value.is_prefix:
        return None
    return [value.text.lower() if key == "provider" else value.text]


def _flag_params(given: Filter, text: str) -> Params | None:
    if given.key != "is" or len(given.values) > 1:
        return None
    names = conditions.choose(given.values[0], conditions.FLAGS, "“is:”")
    return {names[0]: [text]} if len(names) == 1 and names[0] in FLAGS else None


def _time_params(given: Filter, context: Context) -> Params | None:
    value = fix_date(given.values[0], context.zone, context.now)
    read_times(value, context.zone, context.now)
    after, before = f"{given.key}_after", f"{given.key}_before"
    texts = {
        "..": {after: value.text, before: value.upper},
        ">=": {after: value.text},
        "<": {before: value.text},
    }
    if is_moving(value.text):
        texts |= {"": {after: value.text}, ">": {after: value.text}, "<=": {before: value.text}}
    found = {name: text for name, text in texts.get(value.operator, {}).items() if text}
    if any(text.lower() in DAYS for text in found.values()):
        return None
    return {name: [text.lower() if is_moving(text) else text] for name, text in found.items()}


def as_terms(given: Iterable[tuple[str, str]], context: Context) -> list[Node]:
    """The filters that say the same as these parameters, each of which can be read."""
    values: dict[str, list[str]] = {}
    for name, text in given:
        values.setdefault(name, []).append(text)
    terms: list[Node] = []
    for name, texts in values.items():
        time, _, side = name.rpartition("_")
        if name in _NAMES:
            key = _NAMES[name]
            terms.append(Filter(key, tuple(_read_value(key, text) for text in texts)))
        elif name in FLAGS:
            flag = Filter("is", (Value(name),))
            terms.append(flag if texts[0] == "true" else Not(flag))
        elif _is_time(name):
            terms.append(Filter(time, (_read_limit(texts[0], side, context),)))
    return terms


def _read_value(key: str, text: str) -> Value:
    is_family = key == "error" and text.endswith("*")
    return Value(text.removesuffix("*"), is_prefix=True) if is_family else Value(text)


def _read_limit(text: str, side: str, context: Context) -> Value:
    """A time as parameters have it, in UTC where it names no offset."""
    if is_moving(text):
        return Value(text, ">" if side == "after" else "<")
    at = write_time(read_time(text, context.now), context.zone, as_day=True)
    return Value(at, ">=" if side == "after" else "<")
