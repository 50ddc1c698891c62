"""A worker is killed around the requests of submissions, again and again, at each provider."""

import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from jobs.models import Job, ProviderAccount, Submission, SubmissionState
from jobs.submission.resolution import send_again
from organizations.models import Role, User
from providers.core.status import JobStatus
from sandbox.server import RunningSandbox
from tests.factories import make_membership
from tests.faults.stack import NotInTime, Stack, count_inputs
from tests.faults.table import Row, compare

# A kill counts for a provider where it hits a submission under way: rounds follow until all have
# so many, and no more than this many times as many.
MAX_ROUNDS = 2
# Of the requests that submit, so many are answered late, and this much.
SLOW = {"slow": {"rate": 0.6, "method": "POST", "delay_s": 1}}
SPREAD_S = 1.3
START_S = 120


@dataclass
class Target:
    """One provider's part: its account, and what was killed when."""

    account: ProviderAccount
    names: list[str] = field(default_factory=list)
    # by job: how often it had been sent when it was killed, and whether it was there by then
    hits: dict[int, tuple[int, bool]] = field(default_factory=dict)
    # how often the operator had it sent again
    decided: int = 0
    right_at: float | None = None

    @property
    def provider(self) -> str:
        return self.account.provider

    def submissions(self) -> list[Submission]:
        rows = Submission.objects.filter(job__account=self.account)
        return list(rows.defer("request", "remarks").select_related("job"))

    def describe_hits(self) -> str:
        """Where the kills came: before, while or after the provider carried the request out."""
        sends = dict(Submission.objects.filter(pk__in=self.hits).values_list("pk", "sends"))
        moments: Counter[str] = Counter()
        for pk, (sends_then, was_there) in self.hits.items():
            during = sends[pk] == sends_then
            moments["after" if was_there else "during" if during else "before"] += 1
        return (
            f"{len(self.hits)} kills: {moments['before']} before the provider had the request,"
            f" {moments['during']} before it had created the job, {moments['after']} before the"
            " answer was stored"
        )


def run(stack: Stack, names: Sequence[str], kills: int, patience_s: float) -> Iterator[Row]:
    """`names` end with a provider's; the providers are side by side, at one worker."""
    chance = random.Random(16)  # noqa: S311 - no secret
    with stack.sandbox() as sandbox:
        targets = [
            Target(stack.account(sandbox, name.rpartition("-")[2], 100_000)) for name in names
        ]
        operator = make_membership(stack.organization, Role.OPERATOR).user
        kills = stack.scaled(kills)
        sandbox.set_faults(SLOW)
        stack.workers.start()
        for number in range(kills * MAX_ROUNDS):
            if min(len(target.hits) for target in targets) >= kills:
                break
            _submit_and_kill(stack, sandbox, targets, number, chance)
        sandbox.clear_faults()
        last_fault_at = time.monotonic()
        _recover(stack, sandbox, targets, operator, patience_s)
        for name, target in zip(names, targets, strict=True):
            yield _judge(name, target, sandbox, last_fault_at)


def _submit_and_kill(
    stack: Stack, sandbox: RunningSandbox, targets: list[Target], number: int, chance: random.Random
) -> None:
    newest = {}
    for target in targets:
        target.names.append(f"{target.provider}-{number}.mov")
        (newest[target.provider],) = stack.workers.submit(target.account, target.names[-1])
    aimed_at = targets[number % len(targets)]
    _wait_for_moment(stack, sandbox, aimed_at, newest[aimed_at.provider], chance)
    stack.workers.kill()
    for target in targets:
        submission = Submission.objects.get(pk=newest[target.provider])
        if submission.state == SubmissionState.SENDING:
            is_there = count_inputs(sandbox, target.provider)[target.names[-1]] > 0
            target.hits[submission.pk] = submission.sends, is_there
    stack.workers.start()


def _wait_for_moment(
    stack: Stack, sandbox: RunningSandbox, target: Target, job_id: int, chance: random.Random
) -> None:
    """Until the request is about to leave, the provider has it, or it has just been answered.

    At the other providers, it is any of these.
    """
    moment = chance.choice(["leaving", "under way", "answered"])
    sending = Submission.objects.filter(pk=job_id).exclude(state=SubmissionState.DUE)
    if moment == "answered":
        name = target.names[-1]
        stack.wait_for(lambda: count_inputs(sandbox, target.provider)[name] > 0, START_S, 0.002)
        return
    stack.wait_for(sending.exists, START_S, 0.002)
    if moment == "under way":
        time.sleep(chance.uniform(0, SPREAD_S))


def _recover(
    stack: Stack,
    sandbox: RunningSandbox,
    targets: list[Target],
    operator: User,
    patience_s: float,
) -> None:
    """Wait for all to be right, as long as `patience_s`.

    Where a provider is not known to return our key, nothing that was not found is sent again by
    itself: the operator, who sees that it is not there, does.
    """

    def is_over() -> bool:
        for target in targets:
            submissions = target.submissions()
            for submission in submissions:
                is_unconfirmed = submission.state == SubmissionState.UNCONFIRMED
                name = submission.job.name
                if is_unconfirmed and not count_inputs(sandbox, target.provider)[name]:
                    target.decided += 1
                    send_again(submission.job, user=operator)
            if target.right_at is None and all(map(_is_right, submissions)):
                target.right_at = time.monotonic()
        return all(target.right_at for target in targets)

    with suppress(NotInTime):
        stack.wait_for(is_over, patience_s, pause_s=1)


def _is_right(submission: Submission) -> bool:
    is_done = submission.state == SubmissionState.DONE
    return is_done and submission.job.status == JobStatus.SUCCEEDED


def _judge(name: str, target: Target, sandbox: RunningSandbox, last_fault_at: float) -> Row:
    there = compare(target.names, count_inputs(sandbox, target.provider))
    jobs = Job.objects.filter(account=target.account).count()
    wrong = sum(not _is_right(submission) for submission in target.submissions())
    wrong += abs(jobs - len(target.names))
    notes = target.describe_hits()
    if target.decided:
        notes += f"; {target.decided} sent again by an operator"
        if target.account.adapter_class.echoes_key:
            wrong += target.decided
    recovery_s = target.right_at - last_fault_at if target.right_at else None
    return Row(name, there.lost, there.doubled, wrong, recovery_s, notes)
