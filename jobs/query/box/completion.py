"""What may follow where somebody is typing a query: keys, and values with what they stand for."""

import re
from dataclasses import dataclass

from jobs.query.counts import Count
from jobs.query.language.compile import compile_query
from jobs.query.language.context import Context
from jobs.query.language.keys import KEYS
from jobs.query.language.scanner import QUOTES
from jobs.query.language.tree import Filter, Value
from jobs.query.language.write import write

MAX_OPTIONS = 8
COUNT_CAP = 1_000
# what somebody types may be a value of these, which are few
_COMMON = ("status", "is", "has", "error", "provider", "account")
# an index counts the jobs of one value of these
_COUNTED = ("status", "error", "provider", "account")

_TYPED = re.compile(
    rf"(?:^|[\s(,])-?(?:(?P<key>[a-z][a-z_]*):(?P<before>(?:[^\s,{QUOTES}()]*,)*))?"
    rf"(?P<part>[{QUOTES}][^{QUOTES}]*|[^\s,{QUOTES}()]*)$",
    re.IGNORECASE | re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Option:
    """`insertion` replaces what is between `start` and `end` of the query, and shows as `label`."""

    insertion: str
    label: str
    title: str
    start: int
    end: int
    count: Count | None = None


@dataclass(frozen=True, slots=True)
class Options:
    """What is offered. `start` is where begins what is being typed."""

    start: int
    keys: list[Option]
    values: list[Option]

    def __bool__(self) -> bool:
        return bool(self.keys or self.values)


def complete(text: str, at: int, context: Context) -> Options:
    """What may stand in `text` where the cursor is. At most MAX_OPTIONS small queries."""
    found = _TYPED.search(text[:at])
    if found is None:
        return Options(at, [], [])
    key, part, start = (
        (found["key"] or "").lower(),
        found["part"].lstrip(QUOTES),
        found.start("part"),
    )
    if key:
        return Options(start, [], _values(key, part, start, at, context))
    if not part and text.strip():
        return Options(start, [], [])
    keys = _keys(part, start, at)
    values = _common_values(part, start, at, context) if part else []
    return Options(start, keys, values[: max(MAX_OPTIONS - len(keys), 0)])


def _keys(part: str, start: int, end: int) -> list[Option]:
    names = [name for name in KEYS if name.startswith(part.lower())]
    return [Option(f"{name}:", f"{name}:", KEYS[name].title, start, end) for name in names]


def _common_values(part: str, start: int, end: int, context: Context) -> list[Option]:
    """Filters whose value begins like what was typed without a key."""
    found = []
    for key in _COMMON:
        offer = KEYS[key].offer
        for choice in offer(context, part) if offer else []:
            if choice.value.lower().startswith(part.lower()):
                text = f"{key}:{_write(key, choice.value)}"
                found.append(Option(f"{text} ", text, choice.title, start, end))
    return found


def _values(key: str, part: str, start: int, end: int, context: Context) -> list[Option]:
    offer = KEYS[key].offer if key in KEYS else None
    if offer is None:
        return []
    options = []
    for choice in offer(context, part)[:MAX_OPTIONS]:
        text = _write(key, choice.value)
        count = _count(key, choice.value, context) if key in _COUNTED else None
        options.append(Option(f"{text} ", f"{key}:{text}", choice.title, start, end, count))
    return options


def _write(key: str, value: str) -> str:
    """The value as it is written behind its key, in quotes where it has to be."""
    if KEYS[key].is_range or value.endswith("*"):
        return value
    return write(Filter(key, (Value(value),))).removeprefix(f"{key}:")


def _count(key: str, value: str, context: Context) -> Count:
    """How many jobs there are of this value alone, counted no further than COUNT_CAP."""
    is_prefix = value.endswith("*")
    given = Filter(key, (Value(value.removesuffix("*"), is_prefix=is_prefix),))
    jobs = context.visible.jobs().filter(compile_query(given, context)).order_by()
    found = jobs[: COUNT_CAP + 1].count()
    return Count(min(found, COUNT_CAP), found > COUNT_CAP)
