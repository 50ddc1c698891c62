"""Which work may take a thread of this worker, so that no silent host ever holds all of them.

Counted in the process, since its threads are what is scarce: another worker has its own.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum

from celery import current_app

# A call that has waited for its first answer that long is about to be known as a failure: no
# more work joins it at its host.
SUSPECT_S = 5.0


class Work(StrEnum):
    PEOPLE = "people"  # submissions, actions, deliveries: somebody waits
    SYNC = "sync"


@dataclass
class Seat:
    host: str
    work: Work
    # of the small share: at a host, or of an account, that failed or was never tried
    is_doubtful: bool
    has_answered: bool = False
    thread: int = field(default_factory=threading.get_ident)
    taken_at: float = field(default_factory=time.monotonic)


def worker_size() -> int:
    """How many threads this worker has, or would have."""
    return int(current_app.conf.worker_concurrency)


def small_share(size: int) -> int:
    """The threads that all doubtful work together may hold."""
    return max(size // 4, 1)


class Seats:
    """`size()` threads. One is left to the ticks, two more to the other kind of work.

    Of one or two threads none can be left to the ticks, which wait for what is under way: a long
    pass would keep people's work from the other thread.
    """

    def __init__(self, size: Callable[[], int]) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._taken: list[Seat] = []
        # since `take_notice` was last true: whether something was turned away, and a seat left
        self._is_wanted = self._is_freed = False

    @contextmanager
    def hold(self, host: str, work: Work, *, is_doubtful: bool) -> Iterator[bool]:
        """Give this thread a seat for as long as the context lasts; False where none is free."""
        seat = Seat(host, work, is_doubtful)
        with self._lock:
            is_free = self._has_room(host, work, is_doubtful=is_doubtful)
            if is_free:
                self._taken.append(seat)
            else:
                self._is_wanted = True
        try:
            yield is_free
        finally:
            with self._lock:
                if is_free:
                    self._taken = [other for other in self._taken if other is not seat]
                    self._is_freed = True

    def rooms(self, host: str, work: Work) -> tuple[int, int, int]:
        """How much more could begin now: of any work, of `work`, and at `host`."""
        with self._lock:
            return self._rooms(host, work)

    def note_answer(self) -> None:
        """The host of this thread's seat answers: it is not doubtful any more."""
        with self._lock:
            for seat in self._taken:
                if seat.thread == threading.get_ident():
                    seat.has_answered, seat.is_doubtful = True, False

    def ask(self) -> None:
        """Something waits for a seat: see `take_notice`."""
        with self._lock:
            self._is_wanted = True

    def take_notice(self) -> bool:
        """Whether a seat has become free that something waits for; once for each such time."""
        with self._lock:
            is_news = self._is_wanted and self._is_freed
            if is_news:
                self._is_wanted = self._is_freed = False
            return is_news

    def _has_room(self, host: str, work: Work, *, is_doubtful: bool) -> bool:
        doubtful = sum(seat.is_doubtful for seat in self._taken)
        if is_doubtful and doubtful >= small_share(self._size()):
            return False
        return min(self._rooms(host, work)) > 0

    def _rooms(self, host: str, work: Work) -> tuple[int, int, int]:
        size = self._size()
        there = [seat for seat in self._taken if seat.host == host]
        is_suspect = any(_is_suspect(seat) for seat in there)
        return (
            max(size - 1, 2) - len(self._taken),
            max(size - 3, 1) - sum(seat.work == work for seat in self._taken),
            0 if is_suspect else max(size // 2, 2) - len(there),
        )


def _is_suspect(seat: Seat) -> bool:
    """Whether it shows that its host stops answering. Of an account that is slow it is expected."""
    is_late = not seat.has_answered and time.monotonic() - seat.taken_at > SUSPECT_S
    return is_late and not seat.is_doubtful


SEATS = Seats(worker_size)
