"""The questions to the databases' indexes of text.

In capitals, by which `jobs.models.statement_limit` knows on SQLite what reads.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import connection

from jobs.models.search.indexes import FTS_TABLE, FTS_TERMS, TABLE
from jobs.models.search.sections import Term
from jobs.models.search.trigrams import (
    is_too_common,
    mark_organization,
    pick_trigrams,
    trigrams_for,
)

# Texts with all trigrams are looked at one by one, for 10 µs each: whether the terms are in them as
# such, and in the right section. What is searched for in names may be in the metadata of all jobs.
MAX_LOOKED_AT = 30_000

# What is after a pair of characters in all trigrams that begin with it, and behind them in order
_LAST = "\U0010ffff"


def ask_index(terms: Sequence[Term], organization_id: int, limit: int) -> list[int] | None:
    """The ids of at most `limit` of the organization's jobs that contain all `terms`.

    None where the index says nothing about the terms, since nearly all texts contain them, or
    more than MAX_LOOKED_AT might.
    """
    if all(is_too_common(term.text) for term in terms):
        return None
    ask = _ask_gin if connection.vendor == "postgresql" else _ask_fts
    return ask(terms, organization_id, limit)


def _ask_gin(terms: Sequence[Term], organization_id: int, limit: int) -> list[int] | None:
    texts = (mark_organization(organization_id), *(term.text for term in terms))
    sought = [trigrams_for(text) for text in texts]
    conditions = ["trigrams @> %s::integer[]"]
    params: list[Any] = [sorted(frozenset[int]().union(*(one.all for one in sought)))]
    for one in sought:
        if one.any:
            conditions.append("trigrams && %s::integer[]")
            params.append(sorted(one.any))
    source = f"{TABLE} WHERE {' AND '.join(conditions)} LIMIT %s"
    return _look_at(terms, "STRPOS", source, [*params, MAX_LOOKED_AT + 1], limit)


def _ask_fts(terms: Sequence[Term], organization_id: int, limit: int) -> list[int] | None:
    parts = [_quote(mark_organization(organization_id))]
    for text in (term.text for term in terms):
        if len(text) > 2:
            parts += map(_quote, pick_trigrams(text))
        elif not is_too_common(text):
            longer = _find_trigrams(text)
            if not longer:
                return []
            parts.append(f"({' OR '.join(map(_quote, longer))})")
    # A cross join is carried out in the order in which it is written: what the index finds is
    # looked at as it comes.
    source = (
        f"(SELECT rowid AS pk FROM {FTS_TABLE} WHERE {FTS_TABLE} MATCH %s LIMIT %s) "
        f"CROSS JOIN {TABLE} ON job_id = pk"
    )
    return _look_at(terms, "INSTR", source, [" AND ".join(parts), MAX_LOOKED_AT + 1], limit)


def _look_at(
    terms: Sequence[Term], find: str, source: str, params: list[Any], limit: int
) -> list[int] | None:
    """At most `limit` of the rows of `source` that contain all terms; None where it has too many.

    How many they are is among the ids, as a number that no id is.
    """
    has = " AND ".join(_has(term, find) for term in terms)
    found = _run(
        f"WITH looked_at AS (SELECT job_id, {has} AS fits FROM {source}), "
        f"fitting AS (SELECT job_id FROM looked_at WHERE fits LIMIT %s) "
        "SELECT job_id FROM fitting UNION ALL SELECT -COUNT(*) FROM looked_at",
        [*_has_params(terms), *params, limit],
    )
    count = -min(found)
    return None if count > MAX_LOOKED_AT else [pk for pk in found if pk > 0]


def _has(term: Term, find: str) -> str:
    """That the text, or the term's section of it, contains the term."""
    if term.section is None:
        return f"{find}(text, %s) > 0"
    start, end = f"{find}(text, %s)", f"{find}(text, %s)"
    return f"{find}(SUBSTR(text, {start}, {end} - {start}), %s) > 0"


def _has_params(terms: Sequence[Term]) -> Iterator[str]:
    for term in terms:
        if term.section is not None:
            yield from (term.section, term.section.following, term.section)
        yield term.text


def _find_trigrams(beginning: str) -> list[str]:
    """The trigrams of all texts that begin like this."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT term FROM {FTS_TERMS} WHERE term >= %s AND term < %s",
            [beginning, beginning + _LAST],
        )
        return [term for (term,) in cursor.fetchall()]


def _quote(trigram: str) -> str:
    return '"{}"'.format(trigram.replace('"', '""'))


def _run(sql: str, params: list[Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return [pk for (pk,) in cursor.fetchall()]
