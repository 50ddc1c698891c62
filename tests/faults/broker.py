"""Workers and Redis are killed, and Redis is flushed, while jobs are submitted."""

import random
import time
from collections.abc import Iterator, Sequence

from jobs.models import Job, Submission, SubmissionState
from providers.core.status import JobStatus
from tests.faults.stack import NotInTime, Stack, count_inputs
from tests.faults.table import Row, compare

ROUNDS = 12
# What a killed worker held is left to it for two minutes and a half, and then searched.
PATIENCE_S = 900


def is_taken(job_ids: list[int]) -> bool:
    """Whether a worker has begun with one of these, which may be over by now."""
    rows = Submission.objects.filter(pk__in=job_ids)
    untouched = rows.filter(state=SubmissionState.DUE, leased_until__isnull=True)
    return untouched.count() < len(job_ids)


def run(stack: Stack, names: Sequence[str]) -> Iterator[Row]:
    chance = random.Random(11)  # noqa: S311 - no secret
    rounds = stack.scaled(ROUNDS)
    files = [f"{number}-{part}.mov" for number in range(rounds) for part in "abc"]
    with stack.sandbox() as sandbox:
        account = stack.account(sandbox, "zencoder", 100_000)
        stack.workers.start()
        for number in range(rounds):
            # answers take a while, so that a kill comes between a request and its answer
            sandbox.set_faults({"slow": {"rate": 0.7, "delay_s": 1}})
            three = [name for name in files if name.startswith(f"{number}-")]
            made = stack.workers.submit(account, *three)
            if number % 2:
                stack.wait_for(lambda made=made: is_taken(made), 120)  # type: ignore[misc]
                stack.restart_workers()
            elif number % 4:
                stack.broker.kill()
                time.sleep(chance.uniform(0, 3))
                stack.broker.start()
            else:
                stack.broker.flush()
        sandbox.clear_faults()
        last_fault_at = time.monotonic()
        done = Submission.objects.filter(
            state=SubmissionState.DONE, job__status=JobStatus.SUCCEEDED
        )
        recovery_s: float | None = None
        try:
            stack.wait_for(lambda: done.count() == len(files), PATIENCE_S)
            recovery_s = time.monotonic() - last_fault_at
        except NotInTime:
            pass
        there = compare(files, count_inputs(sandbox, "zencoder"))
    wrong = len(files) - done.count() + abs(Job.objects.count() - len(files))
    notes = f"{len(files)} submissions, {rounds} kills and flushes"
    yield Row(names[0], there.lost, there.doubled, wrong, recovery_s, notes)
