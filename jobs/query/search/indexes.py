"""The questions to the databases' indexes of text.

In capitals, by which `jobs.models.statement_limit` knows on SQLite what reads.
"""

from collections.abc import Sequence
from typing import Any

from django.db import connection

from jobs.models.search.indexes import FTS_TABLE, FTS_TERMS, TABLE
from jobs.models.search.trigrams import (
    is_too_common,
    mark_organization,
    pick_trigrams,
    trigrams_for,
)

# What is after a pair of characters in all trigrams that begin with it, and behind them in order
_LAST = "\U0010ffff"


def ask_index(terms: Sequence[str], organization_id: int, limit: int) -> list[int] | None:
    """The ids of at most `limit` of the organization's jobs that contain all `terms`.

    None where the index says nothing about the terms, since nearly all texts contain them.
    """
    if all(map(is_too_common, terms)):
        return None
    ask = _ask_gin if connection.vendor == "postgresql" else _ask_fts
    return ask(terms, organization_id, limit)


def _ask_gin(terms: Sequence[str], organization_id: int, limit: int) -> list[int]:
    sought = [trigrams_for(term) for term in (mark_organization(organization_id), *terms)]
    conditions = ["trigrams @> %s::integer[]"]
    params: list[Any] = [sorted(frozenset[int]().union(*(one.all for one in sought)))]
    for one in sought:
        if one.any:
            conditions.append("trigrams && %s::integer[]")
            params.append(sorted(one.any))
    conditions += ["strpos(text, %s) > 0"] * len(terms)
    return _run(
        f"SELECT job_id FROM {TABLE} WHERE {' AND '.join(conditions)} LIMIT %s",
        [*params, *terms, limit],
    )


def _ask_fts(terms: Sequence[str], organization_id: int, limit: int) -> list[int]:
    parts = [_quote(mark_organization(organization_id))]
    for term in terms:
        if len(term) > 2:
            parts += map(_quote, pick_trigrams(term))
        elif not is_too_common(term):
            longer = _find_trigrams(term)
            if not longer:
                return []
            parts.append(f"({' OR '.join(map(_quote, longer))})")
    conditions = ["instr(text, %s) > 0"] * len(terms)
    # A cross join is carried out in the order in which it is written: what the index finds is
    # looked at as it comes, and no further than `limit`.
    return _run(
        f"SELECT job_id FROM (SELECT rowid AS found FROM {FTS_TABLE} WHERE {FTS_TABLE} MATCH %s) "
        f"CROSS JOIN {TABLE} ON job_id = found WHERE {' AND '.join(conditions)} LIMIT %s",
        [" AND ".join(parts), *terms, limit],
    )


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
