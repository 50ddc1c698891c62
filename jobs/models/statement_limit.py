"""How long one SQL statement may run in a web process, and what it should not read.

A page that takes longer is of no use to its reader, and would hold a thread of the process and a
core of the database. Workers have no such limit: what they do is bounded by their own deadlines.
"""

import math
import time
from collections.abc import Callable
from typing import Any

from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

LIMIT_S = 5
TOO_SLOW = f"This took longer than {LIMIT_S} seconds, so it was stopped. Narrow the filters."
# Where a planner expects many matches it begins to read a table as it is stored, and reads all of
# it where they are at the end, as those of a new account. A page has indexes for what it asks. To
# read a small table all the same then counts as so expensive that it would be compiled first.
_PLANNING = "-c enable_seqscan=off -c jit=off"
# SQLite asks after so many steps of its virtual machine, some thousand times a second
_STEPS = 10_000


def limit_statements() -> None:
    """Limit each statement of this process, and have it use indexes.

    Call it before the first connection is made.
    """
    for settings in connections.settings.values():
        if settings["ENGINE"] == "django.db.backends.postgresql":
            given = settings["OPTIONS"].get("options", "")
            limit = f"-c statement_timeout={LIMIT_S * 1000} {_PLANNING}"
            settings["OPTIONS"]["options"] = f"{given} {limit}".strip()
    connection_created.connect(_limit_reads)


def is_too_slow(error: BaseException) -> bool:
    """Whether the database stopped the statement because of the limit."""
    return isinstance(error, OperationalError) and (
        type(error.__cause__).__name__ == "QueryCanceled" or str(error) == "interrupted"
    )


class _ReadLimit:
    """SQLite's part. A write may wait longer for its turn, and is short once it has it."""

    deadline = math.inf

    def __call__(self, execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        is_read = sql.lstrip(" (").startswith(("SELECT", "WITH"))
        self.deadline = time.monotonic() + LIMIT_S if is_read else math.inf
        return execute(sql, *rest)

    def is_reached(self) -> bool:
        return time.monotonic() > self.deadline


def _limit_reads(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    if connection.vendor != "sqlite":
        return
    # a thread connects anew for each request, and keeps its wrappers
    limits = [one for one in connection.execute_wrappers if isinstance(one, _ReadLimit)]
    if not limits:
        limits = [_ReadLimit()]
        connection.execute_wrappers.append(limits[0])
    connection.connection.set_progress_handler(limits[0].is_reached, _STEPS)
