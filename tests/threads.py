"""Work that several workers do at the same moment."""

from collections.abc import Callable
from threading import Barrier, Thread

from django.db import connections

from tests.waiting import PATIENCE_S


def together(*works: Callable[[], object]) -> None:
    """Run each in a thread with a connection of its own; raises what the first of them raised."""
    barrier, faults = Barrier(len(works)), list[BaseException]()

    def run(work: Callable[[], object]) -> None:
        try:
            barrier.wait(PATIENCE_S)
            work()
        except BaseException as fault:
            faults.append(fault)
        finally:
            connections.close_all()

    threads = [Thread(target=run, args=[work]) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    if faults:
        raise faults[0]
