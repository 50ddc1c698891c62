"""Counting what was asked, so that a test can say how often a client came."""

import re
import threading
import time
from collections import Counter, defaultdict, deque
from typing import Any

from sandbox.http.web import Request

KEPT = 200
MINUTE_S = 60
IDENTIFIER = re.compile(r"\d+|[0-9a-f]{16,}|[0-9a-f-]{36}")


def family_of(path: str) -> str:
    """The path with ids and file names replaced: `/<provider>/api/v2/jobs/{id}/progress`."""
    if path.startswith("/media/"):
        return "/".join(path.split("/")[:3])
    parts = path.removesuffix(".json").split("/")
    return "/".join("{id}" if IDENTIFIER.fullmatch(part) else part for part in parts)


class RequestLog:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self._statuses: Counter[str] = Counter()
        self._latest: deque[dict[str, Any]] = deque(maxlen=KEPT)
        # of the last minute, by path; and the most of any minute
        self._recent: defaultdict[str, deque[float]] = defaultdict(deque)
        self._busiest: Counter[str] = Counter()

    def note(self, request: Request, status: int, fault: str | None) -> None:
        """Queries are left out: they may carry keys. Status 0 is a connection that was dropped."""
        family = f"{request.method} {family_of(request.path)}"
        with self._lock:
            self._counts[family] += 1
            self._statuses[str(status)] += 1
            self._note_minute(family, time.monotonic())
            self._latest.append(
                {"method": request.method, "path": request.path, "status": status, "fault": fault}
            )

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()
            self._statuses.clear()
            self._latest.clear()
            self._recent.clear()
            self._busiest.clear()

    def describe(self) -> dict[str, Any]:
        with self._lock:
            return {
                "total": self._counts.total(),
                "by_path": dict(self._counts),
                "busiest_minute": dict(self._busiest),
                "by_status": dict(self._statuses),
                "latest": list(self._latest),
            }

    def _note_minute(self, family: str, now: float) -> None:
        for name in (family, "all"):
            recent = self._recent[name]
            recent.append(now)
            while now - recent[0] >= MINUTE_S:
                recent.popleft()
            self._busiest[name] = max(self._busiest[name], len(recent))
