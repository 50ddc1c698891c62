"""Which work gets a thread of a worker, and what is left to other hosts and other work."""

import pytest

from jobs.workqueue.slots import Slots, Work, small_share

SHARE = small_share(8)


class Full:
    """A worker's threads, and what is held of them until the test ends."""

    def __init__(self, size: int = 8) -> None:
        self.slots = Slots(lambda: size)
        self.held = []  # type: ignore[var-annotated]

    def take(self, host: str, work: Work = Work.SYNC, *, is_unreliable: bool = False) -> bool:
        slot = self.slots.hold(host, work, is_unreliable=is_unreliable)
        self.held.append(slot)
        return slot.__enter__()


def test_one_host_holds_half_of_the_threads_at_the_most_with_any_work() -> None:
    full = Full()
    assert [full.take("a", Work.INTERACTIVE) for _ in range(2)] == [True] * 2
    assert [full.take("a") for _ in range(3)] == [True, True, False]
    assert full.take("b")


@pytest.mark.parametrize("size", [2, 3])
@pytest.mark.parametrize("host", ["a", "b"])
def test_in_a_small_worker_a_long_pass_leaves_a_thread_to_people(size: int, host: str) -> None:
    full = Full(size)
    assert [full.take("a"), full.take("b")] == [True, False]
    full.slots.mark_response()
    assert [full.take(host, Work.INTERACTIVE), full.take("c", Work.INTERACTIVE)] == [True, False]


def test_each_kind_of_work_leaves_threads_to_the_other_and_all_leave_one_to_the_ticks() -> None:
    full = Full()
    assert [full.take(f"sync-{number}") for number in range(6)] == [True] * 5 + [False]
    people = [full.take(f"send-{number}", Work.INTERACTIVE) for number in range(3)]
    assert people == [True, True, False]


def test_all_unreliable_work_together_has_a_small_share() -> None:
    full = Full()
    unreliable = [full.take(f"dead-{number}", is_unreliable=True) for number in range(4)]
    assert unreliable == [True] * SHARE + [False, False]
    full.slots.mark_response()  # they all are this thread's
    assert full.take("dead-9", is_unreliable=True)


def test_a_host_that_stops_answering_gets_no_more_work_before_the_first_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    full = Full()
    assert full.take("a")
    full.slots._taken[0].taken_at -= 6
    assert not full.take("a")
    full.slots.mark_response()
    assert full.take("a")


def test_an_account_that_is_known_to_be_slow_keeps_nobody_from_its_host() -> None:
    full = Full()
    assert full.take("a", is_unreliable=True)
    full.slots._taken[0].taken_at -= 6
    assert full.take("a")


def test_what_was_turned_away_is_dispatched_when_a_slot_is_free_again() -> None:
    full = Full()
    for _ in range(5):
        full.take("a")
    assert not full.slots.take_wakeup()
    full.held[0].__exit__(None, None, None)
    assert full.slots.take_wakeup()
    assert not full.slots.take_wakeup()
