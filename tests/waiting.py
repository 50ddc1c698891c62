"""How long tests wait for a thread, a process, the browser or an encoding: one limit for all."""

import time
from collections.abc import Callable

# Seconds. What takes one on an idle machine may take a hundred on a busy one: only what would never
# come reaches this.
PATIENCE_S = 180
PATIENCE_MS = PATIENCE_S * 1000


def wait_until(
    condition: Callable[[], object], what: str = "what was awaited", seconds: float = PATIENCE_S
) -> None:
    """Ask until it holds; fails where that takes too long."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come within {seconds:.0f} s"
        time.sleep(0.05)
