"""Which work may have a thread of this worker, so that no unresponsive host ever holds all of them.

Counted in the process, since its threads are what is scarce: another worker has its own.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from celery import current_app

# A call that has waited this long for its first response is likely to fail: no more work joins it
# at its host.
STALLED_S = 5.0


class Work(StrEnum):
    INTERACTIVE = "interactive"  # submissions, actions, deliveries: somebody waits
    SYNC = "sync"


class Free(NamedTuple):
    """How much more could begin now."""

    of_any_work: int
    of_this_work: int
    at_this_host: int


@dataclass
class Slot:
    host: str
    work: Work
    # limited to the small share: at a host, or of an account, that failed or was never tried
    is_unreliable: bool
    has_response: bool = False
    thread: int = field(default_factory=threading.get_ident)
    taken_at: float = field(default_factory=time.monotonic)


def worker_size() -> int:
    """How many threads this worker has, or would have."""
    return int(current_app.conf.worker_concurrency)


def small_share(size: int) -> int:
    """The threads that all unreliable work together may hold."""
    return max(size // 4, 1)


class Slots:
    """`size()` threads. One is left to the ticks, two more to the other kind of work.

    Of one or two threads none can be left to the ticks, which wait for what is running: a long
    pass would keep interactive work from the other thread.
    """

    def __init__(self, size: Callable[[], int]) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._taken: list[Slot] = []
        # since `take_wakeup` was last true: whether something was turned away, and a slot freed
        self._has_waiting = self._has_freed = False

    @contextmanager
    def hold(self, host: str, work: Work, *, is_unreliable: bool) -> Iterator[bool]:
        """Give this thread a slot for as long as the context lasts; False where none is free."""
        slot = Slot(host, work, is_unreliable)
        with self._lock:
            is_free = self._has_room(slot)
            if is_free:
                self._taken.append(slot)
            else:
                self._has_waiting = True
        try:
            yield is_free
        finally:
            with self._lock:
                if is_free:
                    self._taken = [other for other in self._taken if other is not slot]
                    self._has_freed = True

    def count_free(self, host: str, work: Work) -> Free:
        with self._lock:
            return self._count_free(host, work)

    def mark_response(self) -> None:
        """The host of this thread's slot responds: it is reliable from now on."""
        with self._lock:
            for slot in self._taken:
                if slot.thread == threading.get_ident():
                    slot.has_response, slot.is_unreliable = True, False

    def mark_waiting(self) -> None:
        """Something waits for a slot: see `take_wakeup`."""
        with self._lock:
            self._has_waiting = True

    def take_wakeup(self) -> bool:
        """Whether a slot has become free that something waits for; once for each such time."""
        with self._lock:
            is_due = self._has_waiting and self._has_freed
            if is_due:
                self._has_waiting = self._has_freed = False
            return is_due

    def _has_room(self, slot: Slot) -> bool:
        unreliable = sum(other.is_unreliable for other in self._taken)
        if slot.is_unreliable and unreliable >= small_share(self._size()):
            return False
        return min(self._count_free(slot.host, slot.work)) > 0

    def _count_free(self, host: str, work: Work) -> Free:
        size = self._size()
        at_host = [slot for slot in self._taken if slot.host == host]
        is_stalled = any(map(_is_stalled, at_host))
        return Free(
            of_any_work=max(size - 1, 2) - len(self._taken),
            of_this_work=max(size - 3, 1) - sum(slot.work == work for slot in self._taken),
            at_this_host=0 if is_stalled else max(size // 2, 2) - len(at_host),
        )


def _is_stalled(slot: Slot) -> bool:
    """Whether it shows that its host stops responding; of an unreliable one that is no news."""
    is_late = not slot.has_response and time.monotonic() - slot.taken_at > STALLED_S
    return is_late and not slot.is_unreliable


SLOTS = Slots(worker_size)
