"""What a request costs the server: CPU of this process, and of its session at the database."""

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import connection
from django.test.utils import CaptureQueriesContext

TIMES = 7
# A request that takes longer than this is measured fewer times.
LONG_S = 0.5


@dataclass(frozen=True, slots=True)
class Work:
    """Medians, in milliseconds of CPU; `statements` are those of one request."""

    process_ms: float
    session_ms: float
    statements: tuple[str, ...]

    @property
    def total_ms(self) -> float:
        return self.process_ms + self.session_ms


def measure(call: Callable[[], object]) -> Work:
    """The work of a call, after a first one that is not counted."""
    connection.queries_log.clear()
    begun = time.monotonic()
    with CaptureQueriesContext(connection) as captured:
        call()
    # before the next request clears what was captured
    statements = tuple(query["sql"] for query in captured.captured_queries)
    is_long = time.monotonic() - begun > LONG_S
    session = _session()
    taken = [_measure_once(call, session) for _ in range(3 if is_long else TIMES)]
    process, of_session, total = (statistics.median(one) for one in zip(*taken, strict=True))
    # the session's part of the median of both
    return Work(total - of_session if total > of_session else process, of_session, statements)


def _measure_once(call: Callable[[], object], session: Path | None) -> tuple[float, float, float]:
    process, of_session = time.process_time_ns(), _session_ns(session)
    call()
    process = time.process_time_ns() - process
    of_session = _session_ns(session) - of_session
    return process / 1e6, of_session / 1e6, (process + of_session) / 1e6


def _session() -> Path | None:
    """Where Linux says what the session of a PostgreSQL on this machine has used."""
    if connection.vendor != "postgresql":
        return None
    with connection.cursor() as cursor:
        cursor.execute("select pg_backend_pid()")
        return Path(f"/proc/{cursor.fetchone()[0]}")


def _session_ns(session: Path | None) -> int:
    if session is None:
        return 0
    if (exact := session / "schedstat").exists():
        return int(exact.read_text().split()[0])
    user, system = (session / "stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) * 10**9 // os.sysconf("SC_CLK_TCK")
