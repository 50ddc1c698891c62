"""Percentiles from histograms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insights.rollups.histogram import LAST_BIN, Histogram, bin_of
from tests.insights.random_jobs import percentile

durations = st.floats(1, 10**12)


@given(st.lists(durations, min_size=1), st.sampled_from([0.5, 0.95]))
def test_percentiles_are_within_five_percent(values: list[float], part: float) -> None:
    found = Histogram.of((bin_of(value), 1) for value in values).percentile(part)
    real = percentile(values, part)
    assert found is not None
    assert real is not None
    # to the millisecond
    assert abs(found - real) <= max(real * 0.05, 0.51)


@given(st.lists(st.tuples(st.integers(0, LAST_BIN), st.integers(1, 10**6))))
def test_what_is_packed_is_unpacked_and_added_up(counts: list[tuple[int, int]]) -> None:
    parts = [Histogram.of([one]) for one in counts]
    total = Histogram.of(counts)
    assert sum(parts, Histogram()) == total
    assert Histogram.unpack(total.pack()) == total
    assert total.count == sum(count for _, count in counts)


@pytest.mark.parametrize(("milliseconds", "found"), [(0, 0), (0.4, 0), (10**20, LAST_BIN)])
def test_the_ends_of_the_scale(milliseconds: float, found: int) -> None:
    assert bin_of(milliseconds) == found
    assert Histogram().percentile(0.5) is None
    assert Histogram().pack() == b""
