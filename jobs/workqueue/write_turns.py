"""Taking turns to write to SQLite, which lets in whoever asks at the right moment.

Who waits for its lock asks ten times a second. One that writes again and again leaves it free for
less than a millisecond, so others would wait until their timeout, and fail: two such writers for
twenty seconds were enough. So whoever wants to write first takes a turn, a lock on a file, and
holds it until SQLite's lock is its own: the one before has to stand behind it. With eight writers
that never pause, each then waits for a third of a second at most.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper

# As long as SQLite's own timeout; then it is left to that.
LONGEST_S = 20.0
PAUSE_S = 0.005
_WRITES = ("BEGIN IMMEDIATE", "INSERT", "UPDATE", "DELETE", "REPLACE")


class _Turns:
    """Around each statement of a connection."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __call__(
        self,
        execute: Callable[..., Any],
        sql: str,
        params: Any,
        many: bool,
        context: dict[str, Any],
    ) -> Any:
        # within a transaction the lock is held already
        is_first = sql.startswith(_WRITES) and not _is_in_transaction(context["connection"])
        if not is_first:
            return execute(sql, params, many, context)
        with _take_turn(self._path):
            return execute(sql, params, many, context)


def install(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Have a new connection to an SQLite file take turns; for `connection_created`."""
    name = str(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or ":memory:" in name or "mode=memory" in name:
        return
    # a thread connects anew for each request, and keeps its wrappers
    if not any(isinstance(one, _Turns) for one in connection.execute_wrappers):
        connection.execute_wrappers.append(_Turns(f"{name}-turns"))


def _is_in_transaction(connection: BaseDatabaseWrapper) -> bool:
    return bool(connection.connection and connection.connection.in_transaction)


@contextmanager
def _take_turn(path: str) -> Iterator[None]:
    # a file of its own, which no fork shares
    with open(path, "ab") as file:
        ends_at = time.monotonic() + LONGEST_S
        while not _lock(file.fileno()) and time.monotonic() < ends_at:
            time.sleep(PAUSE_S)
        yield


def _lock(number: int) -> bool:
    with suppress(BlockingIOError):
        # closing the file unlocks it, and so does the end of the process
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False
