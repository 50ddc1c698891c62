"""10,000 made-up jobs of four accounts, which are known better as they end: which are ever marked
stuck while they wait or run. Each is looked at once a minute, as the task does.
"""

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from jobs.stuck.history import MAX_JOBS, MIN_COMPARABLE, percentile
from jobs.stuck.marking import DEFAULT_LIMIT_MIN, YOUNG
from jobs.stuck.rule import MINUTE_MS, Situation, Usual, judge
from jobs.stuck.shape import ALL, shape_of, wider

JOBS = 10_000
HANG_EVERY = 100
LIMIT_MS = DEFAULT_LIMIT_MIN * MINUTE_MS
YOUNG_MS = YOUNG // timedelta(milliseconds=1)
# nobody waits longer than that for a mark
LONGEST_MS = 3 * LIMIT_MS
# The usual times are worked out anew when so many more jobs have come.
LEARNED_EVERY = 250

pytestmark = pytest.mark.any_database


@dataclass(frozen=True, slots=True)
class Made:
    """A job: how long it waits and runs, None where it never gets beyond that."""

    account: int
    kind: str
    outputs: int
    input_ms: int | None
    wait_ms: int | None
    run_ms: int | None
    # how long its progress rests now and then; None where the provider reports none
    rest_ms: int | None

    @property
    def hangs(self) -> bool:
        return self.wait_ms is None or self.run_ms is None

    @property
    def shape(self) -> str:
        return shape_of(self.kind, self.outputs, self.input_ms)


@dataclass
class History:
    """The latest jobs of one account that ended, and what was last worked out from them."""

    ended: deque[Made] = field(default_factory=lambda: deque(maxlen=MAX_JOBS))
    waits: dict[str, Usual] = field(default_factory=dict)
    runs: dict[str, Usual] = field(default_factory=dict)

    def learn(self) -> None:
        waits: dict[str, list[int]] = {}
        runs: dict[str, list[int]] = {}
        for job in self.ended:
            for shape in wider(job.shape):
                waits.setdefault(shape, []).append(job.wait_ms or 0)
                runs.setdefault(shape, []).append(job.run_ms or 0)
        self.waits, self.runs = _summarize(waits), _summarize(runs)


def _summarize(times: dict[str, list[int]]) -> dict[str, Usual]:
    found = {shape: percentile(sorted(those), 95) for shape, those in times.items()}
    return {
        shape: Usual(len(times[shape]), p95_ms)
        for shape, p95_ms in found.items()
        if p95_ms is not None
    }


def make_jobs(seed: int) -> Iterator[Made]:
    """Four accounts, of which one is busy in waves and one has hardly any jobs.

    Long tails, as real ones have: the slowest job of a hundred takes four to five times as long as
    most, whatever is known of it.
    """
    chance = random.Random(seed)  # noqa: S311 - made-up data
    for number in range(JOBS):
        account = chance.choices((0, 1, 2, 3), (60, 25, 14.5, 0.5))[0]
        kind = chance.choice(("video", "video", "playlist", "audio"))
        outputs = chance.choice((1, 2, 3, 4, 6, 8))
        input_ms = round(1000 * min(chance.lognormvariate(6, 1.3), 6 * 3600))
        wave = 6 if account == 1 and number // 250 % 4 == 3 else 1
        speed = {"video": 0.5, "playlist": 0.7, "audio": 0.05}[kind] * (0.6 + 0.15 * outputs)
        wait_ms = round(1000 * wave * chance.lognormvariate(3, 0.7))
        run_ms = round(20_000 + input_ms * speed * chance.lognormvariate(-0.4, 0.6))
        rest_ms = min(run_ms // 4, 20 * MINUTE_MS) if account != 2 else None
        is_hang = number % HANG_EVERY == HANG_EVERY // 2
        yield Made(
            account,
            kind,
            outputs,
            None if chance.random() < 0.1 else input_ms,
            None if is_hang and number % 3 == 0 else wait_ms,
            None if is_hang else run_ms,
            rest_ms,
        )


def is_ever_marked(job: Made, history: History) -> bool:
    """Look at it once a minute, waiting, then running, until it ends or is marked."""
    return any(
        judge(Situation(elapsed_ms, usual, LIMIT_MS, still_ms)) is not None
        for elapsed_ms, usual, still_ms in _looks(job, history)
    )


def _looks(job: Made, history: History) -> Iterator[tuple[int, Usual | None, int | None]]:
    wait_ms = LONGEST_MS if job.wait_ms is None else job.wait_ms
    for elapsed_ms in range(YOUNG_MS, wait_ms, MINUTE_MS):
        yield elapsed_ms, history.waits.get(ALL), None
    if job.wait_ms is None:
        return
    run_ms = LONGEST_MS if job.run_ms is None else job.run_ms
    for elapsed_ms in range(max(YOUNG_MS - job.wait_ms, 0), run_ms, MINUTE_MS):
        yield elapsed_ms, history.runs.get(job.shape), job.rest_ms


def test_few_that_wait_or_run_are_marked_and_each_that_hangs_is() -> None:
    histories: dict[int, History] = {}
    marked, hanging, missed = 0, 0, []
    for number, job in enumerate(make_jobs(1), 1):
        history = histories.setdefault(job.account, History())
        if job.hangs:
            hanging += 1
            if not is_ever_marked(job, history):
                missed.append(job)
            continue
        marked += is_ever_marked(job, history)
        history.ended.append(job)
        if number % LEARNED_EVERY == 0:
            for one in histories.values():
                one.learn()

    assert hanging == JOBS // HANG_EVERY
    assert missed == []
    # neither none, as if nothing were ever marked but what hangs for days, nor too many
    assert 0 < marked <= 0.05 * (JOBS - hanging)


def test_a_hang_among_known_jobs_is_marked_within_hours_and_not_by_the_absolute_limit() -> None:
    history = History()
    jobs = [job for job in make_jobs(1) if not job.hangs and job.account == 0]
    history.ended.extend(jobs)
    history.learn()
    hanging = [
        Made(0, job.kind, job.outputs, job.input_ms, job.wait_ms, None, None)
        for job in jobs[:50]
        if job.shape in history.runs
    ]
    assert len(hanging) > MIN_COMPARABLE
    for job in hanging:
        usual = history.runs[job.shape]
        at = next(
            elapsed_ms
            for elapsed_ms in range(0, LIMIT_MS, MINUTE_MS)
            if judge(Situation(elapsed_ms, usual, LIMIT_MS)) is not None
        )
        assert usual.p95_ms < at < 4 * usual.p95_ms + 10 * MINUTE_MS
