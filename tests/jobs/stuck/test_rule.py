"""When a job is stuck, on its own and over a history of ten thousand jobs."""

import random

import pytest

from jobs.models import StuckKind
from jobs.stuck.history import percentile
from jobs.stuck.rule import MINUTE_MS, Found, Situation, Usual, judge, time_left

HOUR_MS = 60 * MINUTE_MS
USUAL = Usual(412, 22 * MINUTE_MS)


def situation(**facts: object) -> Situation:
    return Situation(**{"elapsed_ms": 0, "usual": None, "limit_ms": 24 * HOUR_MS, **facts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("facts", "found"),
    [
        ({"elapsed_ms": 44 * MINUTE_MS, "usual": USUAL}, None),
        (
            {"elapsed_ms": 44 * MINUTE_MS + 1, "usual": USUAL},
            Found(StuckKind.SLOW, 22 * MINUTE_MS, 412),
        ),
        # what takes seconds is given some minutes
        ({"elapsed_ms": 5 * MINUTE_MS, "usual": Usual(20, 2_000)}, None),
        (
            {"elapsed_ms": 6 * MINUTE_MS, "usual": Usual(20, 2_000)},
            Found(StuckKind.SLOW, 2_000, 20),
        ),
        ({"elapsed_ms": 24 * HOUR_MS + 1}, Found(StuckKind.LIMIT, 24 * HOUR_MS)),
        # the limit is for jobs that nothing is known of
        ({"elapsed_ms": 25 * HOUR_MS, "usual": Usual(20, 13 * HOUR_MS)}, None),
        ({"elapsed_ms": 999 * HOUR_MS, "limit_ms": 0}, None),
        # a start by a clock that is ahead of ours says nothing
        ({"elapsed_ms": None, "usual": USUAL}, None),
        ({"restarts": 2}, None),
        ({"restarts": 3}, Found(StuckKind.RESTARTED, count=3)),
        ({"still_ms": 30 * MINUTE_MS}, None),
        ({"still_ms": 31 * MINUTE_MS}, Found(StuckKind.STILL, 31 * MINUTE_MS)),
        ({"still_ms": 50 * MINUTE_MS, "usual": Usual(20, HOUR_MS)}, None),
        ({"unconfirmed_ms": 15 * MINUTE_MS}, None),
        ({"unconfirmed_ms": 16 * MINUTE_MS}, Found(StuckKind.UNCONFIRMED, 16 * MINUTE_MS)),
    ],
)
def test_each_reason_has_its_limit(facts: dict[str, object], found: Found | None) -> None:
    assert judge(situation(**facts)) == found


@pytest.mark.parametrize("spread", [0.3, 0.6, 1.0, 1.3])
def test_of_ten_thousand_jobs_few_that_end_are_ever_marked_and_each_that_hangs_is(
    spread: float,
) -> None:
    """Four kinds of jobs, of which each takes its own time, some of them long; 50 never end."""
    chosen = random.Random(17)  # noqa: S311 - no secret
    history: dict[str, list[int]] = {kind: [] for kind in "abcd"}
    medians = {"a": 30_000, "b": 4 * MINUTE_MS, "c": 25 * MINUTE_MS, "d": 3 * HOUR_MS}
    marked = hung = 0
    for number in range(10_000):
        kind = chosen.choice("aaaabbbccd")
        # the latest jobs tell; what is usual is worked out now and then
        if number % 200 == 0:
            usual = {
                one: (len(times), percentile(sorted(times[-5_000:]), 95))
                for one, times in history.items()
            }
        jobs, p95_ms = usual[kind]
        known = None if p95_ms is None else Usual(jobs, p95_ms)
        if number % 200 == 199:
            hung += 1
            assert judge(situation(elapsed_ms=5 * 24 * HOUR_MS, usual=known)), "a hang is missed"
            continue
        took_ms = round(medians[kind] * chosen.lognormvariate(0, spread))
        # a job is marked while it runs if it would be at its end
        marked += judge(situation(elapsed_ms=took_ms, usual=known)) is not None
        history[kind].append(took_ms)
    assert hung == 50
    assert marked <= 0.05 * 9_950
    assert spread < 1 or marked, "nothing was ever tried"


def test_time_left_is_a_range_as_long_as_most_comparable_jobs_take_longer() -> None:
    assert time_left(0, 120_000, 300_000) == (120_000, 300_000)
    assert time_left(180_000, 120_000, 300_000) == (0, 120_000)
    assert time_left(300_000, 120_000, 300_000) is None
    assert time_left(10, None, None) is None


def test_a_percentile_needs_twenty() -> None:
    assert percentile(list(range(1, 20)), 95) is None
    assert percentile(list(range(1, 21)), 95) == 19
    assert percentile(list(range(1, 101)), 50) == 50
