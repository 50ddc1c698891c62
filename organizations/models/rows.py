"""Model instances by statements that are written once: those that every request sends.

Django would take longer to write such a statement, and to find out how to read its rows, than all
else of an empty answer takes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import connection
from django.db.models import Model

M = TypeVar("M", bound=Model)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How to read the rows of a statement: which of its columns are the model's fields, in the
    order of the model, which are others, and what converts the values of which."""

    names: list[str]
    places: list[int]
    others: list[tuple[str, int]]
    converters: list[tuple[int, Callable[..., Any], Any]]


_plans: dict[tuple[str, type[Model], str], _Plan] = {}


def columns_of(model: type[Model], table: str) -> str:
    """All columns of the model, for a statement that calls its table `table`."""
    return ", ".join(f"{table}.{field.column}" for field in model._meta.concrete_fields)


def read_rows(model: type[M], statement: str, params: Sequence[Any]) -> Iterator[M]:
    """An instance for each row; a column that is none of the model's becomes an attribute.

    `statement` names its columns, rather than `*`: how to read them is found out once.
    """
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        key = (connection.vendor, model, statement)
        plan = _plans.get(key)
        if plan is None:
            plan = _plans[key] = _make_plan(model, [column[0] for column in cursor.description])
        rows = cursor.fetchall()
    for row in rows:
        values = list(row)
        for place, convert, expression in plan.converters:
            values[place] = convert(values[place], expression, connection)
        found = model.from_db(
            connection.alias, plan.names, [values[place] for place in plan.places]
        )
        for name, place in plan.others:
            setattr(found, name, values[place])
        yield found


def _make_plan(model: type[Model], columns: list[str]) -> _Plan:
    fields = [field for field in model._meta.concrete_fields if field.column in columns]
    places = [columns.index(str(field.column)) for field in fields]
    own = set(places)
    others = [(name, place) for place, name in enumerate(columns) if place not in own]
    converters = []
    for field, place in zip(fields, places, strict=True):
        expression = field.cached_col
        of_database = connection.ops.get_db_converters(expression)
        of_field = expression.get_db_converters(connection)
        converters += [(place, one, expression) for one in (*of_database, *of_field)]
    return _Plan([field.attname for field in fields], places, others, converters)
