"""Waits grow with each failure, up to a cap."""

from jobs.workqueue.backoff import Backoff


def test_each_wait_is_twice_the_last_up_to_the_cap() -> None:
    backoff = Backoff(first_s=15, cap_s=100)
    assert [backoff.wait_s(failures) for failures in range(1, 6)] == [15, 30, 60, 100, 100]


def test_it_bears_a_host_that_has_failed_for_years() -> None:
    assert Backoff(first_s=2, cap_s=60).wait_s(10**7) == 60


def test_waits_of_rows_that_failed_together_differ_within_the_spread() -> None:
    waits = {Backoff(first_s=10, cap_s=60, spread=0.2).wait_s(1) for _ in range(50)}
    assert len(waits) > 1
    assert 8 <= min(waits) <= max(waits) <= 12
