"""How the database carries out a statement, and whether it reads a big table from end to end."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from django.db import connection, transaction

BIG = (
    *("jobs_job", "jobs_output", "jobs_jobevent", "jobs_jobsearch"),
    *("insights_outcomerollup", "insights_errorrollup", "insights_presetrollup"),
)
# how these, and their indexes, begin
_NAMES = ("jobs_", "job_", "output_", "event_", "insights_", "outcome_", "error_r", "preset_r")
_SCANS = re.compile(rf"Seq Scan on ({'|'.join(BIG)})\b|SCAN ({'|'.join(BIG)})\b(?! USING)")


def explain(statement: str) -> str:
    """The plan, with what each step really read on PostgreSQL; empty for what is no query."""
    if not statement.lstrip("( ").upper().startswith(("SELECT", "WITH")):
        return ""
    is_postgresql = connection.vendor == "postgresql"
    prefix = "explain (analyze, buffers)" if is_postgresql else "explain query plan"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{prefix} {statement}")
        return "\n".join(str(row[-1]) for row in cursor.fetchall())


def read_in_full(plan: str) -> list[str]:
    """The big tables that a plan reads from end to end."""
    return sorted({one or other for one, other in _SCANS.findall(plan)})


def rows_read(statement: str) -> Iterator[tuple[str, int]]:
    """On PostgreSQL each step that reads a big table, and how many rows it really read."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"explain (analyze, format json) {statement}")
        (found,) = cursor.fetchone()
    plan = json.loads(found) if isinstance(found, str) else found
    yield from _rows_read([plan[0]["Plan"]])


def _rows_read(nodes: Iterable[Any]) -> Iterator[tuple[str, int]]:
    for node in nodes:
        table = node.get("Relation Name", node.get("Index Name", ""))
        if "Scan" in node["Node Type"] and table.startswith(_NAMES):
            rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0)
            rows += node.get("Rows Removed by Index Recheck", 0)
            yield f"{node['Node Type']} {table}", round(rows * node["Actual Loops"])
        yield from _rows_read(node.get("Plans", ()))
