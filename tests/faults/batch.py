"""A worker is killed and the broker flushed while a batch of many inputs is submitted."""

import time
from collections.abc import Iterator, Sequence

from jobs.batches.lines import Line
from jobs.batches.service import NewBatch, create
from jobs.models import BatchState, Job, Submission, SubmissionState
from jobs.query.visibility import Visibility
from organizations.models import Role
from providers.core.status import JobStatus
from tests.factories import make_membership
from tests.faults.stack import NotInTime, Stack, count_inputs, describe_rate
from tests.faults.table import Row, compare
from tests.submitting import make_request

INPUTS = 1_000
PER_MINUTE = 1_200
# What a killed worker held is left to it for two minutes and a half, and then searched.
PATIENCE_S = 900


def run(stack: Stack, names: Sequence[str]) -> Iterator[Row]:
    count = stack.scaled(INPUTS)
    files = [f"{number}.mov" for number in range(count)]
    with stack.sandbox(rate_limit=PER_MINUTE) as sandbox:
        # nearly all calls are submissions then
        sandbox.set_time_scale(0)
        account = stack.account(sandbox, "zencoder", PER_MINUTE)
        user = make_membership(stack.organization, Role.OPERATOR).user
        lines = [Line(f"s3://rushes/{name}") for name in files]
        shared = make_request(account.provider, "")
        visible = Visibility(stack.organization)
        stack.workers.start()
        started = time.monotonic()
        batch = create(NewBatch(visible, account, "reels", shared, lines), user=user)
        accepted = Submission.objects.filter(state=SubmissionState.DONE, job__batch=batch)
        last_fault_at = stack.interrupt(lambda: accepted.count() / count, PATIENCE_S)

        def is_over() -> bool:
            batch.refresh_from_db()
            return batch.state == BatchState.SENT and accepted.count() == count

        recovery_s: float | None = None
        try:
            stack.wait_for(is_over, PATIENCE_S)
            recovery_s = time.monotonic() - last_fault_at
        except NotInTime:
            pass
        took_s = time.monotonic() - started
        there = compare(files, count_inputs(sandbox, account.provider))
        excess, rate = describe_rate(sandbox, PER_MINUTE)
    wrong = count - accepted.filter(job__status=JobStatus.QUEUED).count() + excess
    wrong += abs(Job.objects.count() - count)
    notes = f"{count} inputs in {took_s:.0f} s, kills and a flush included; {rate}"
    yield Row(names[0], there.lost, there.doubled, wrong, recovery_s, notes)
