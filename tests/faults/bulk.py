"""A worker is killed and the broker flushed while a bulk action acts on many jobs."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import requests

from jobs.bulk.service import BulkRequest, start
from jobs.models import BulkAction, BulkKind, BulkOutcome, BulkState, Job, ProviderAccount
from jobs.query.visibility import Visibility
from organizations.models import AuditEntry, Role
from providers.core.status import JobStatus
from sandbox.server import RunningSandbox
from tests.factories import make_membership
from tests.faults.stack import NotInTime, Stack, describe_rate
from tests.faults.table import Row

JOBS = 1_000
PER_MINUTE = 1_200
# What a killed worker held is left to it for seconds, or, of a call, for a minute and a half.
PATIENCE_S = 600


@dataclass(frozen=True, slots=True)
class Act:
    """A bulk action: the jobs it is for, and what the sandbox shows of a job acted on once."""

    kind: BulkKind
    audit_action: str
    # the sandbox makes jobs fail whose input is named so
    input_prefix: str
    before: JobStatus
    after: JobStatus

    def count(self, job: dict[str, Any]) -> int:
        """How often the provider has acted on a job."""
        if self.kind == BulkKind.CANCEL:
            return int(job["state"] == "cancelled")
        return int(job["attempt"]) - 1


ACTS = {
    "bulk-cancel": Act(
        BulkKind.CANCEL, "job.cancel_requested", "reel", JobStatus.QUEUED, JobStatus.CANCELLED
    ),
    "bulk-retry": Act(
        BulkKind.RESUBMIT, "job.resubmit_requested", "corrupt", JobStatus.FAILED, JobStatus.QUEUED
    ),
}


def run(stack: Stack, names: Sequence[str]) -> Iterator[Row]:
    (name,) = names
    act, count = ACTS[name], stack.scaled(JOBS)
    with stack.sandbox(rate_limit=PER_MINUTE) as sandbox:
        account = stack.account(sandbox, "zencoder", PER_MINUTE)
        _make_jobs(sandbox, act, count)
        stack.workers.start()
        mirrored = Job.objects.filter(account=account, status=act.before)
        stack.wait_for(lambda: mirrored.count() == count, PATIENCE_S)
        user = make_membership(stack.organization, Role.OPERATOR).user
        sandbox.clear_requests()
        started = time.monotonic()
        request = BulkRequest(
            act.kind, Visibility(stack.organization), query=f"status:{act.before}"
        )
        bulk = start(request, user=user)
        last_fault_at = stack.interrupt(lambda: _settled(bulk) / count, PATIENCE_S)
        recovery_s: float | None = None
        try:
            stack.wait_for(lambda: _is_over(bulk, account, act, count), PATIENCE_S)
            recovery_s = time.monotonic() - last_fault_at
        except NotInTime:
            pass
        took_s = time.monotonic() - started
        yield _judge(name, act, bulk, sandbox, recovery_s, took_s, count)


def _make_jobs(sandbox: RunningSandbox, act: Act, count: int) -> None:
    """Let them fail where failures are retried, and stand still from then on."""

    def submit(number: int) -> None:
        body = {"input": f"s3://rushes/{act.input_prefix}-{number}.mov", "outputs": [{}]}
        headers = {"Zencoder-Api-Key": sandbox.keys["zencoder_api_key"]}
        url = f"{sandbox.api_url('zencoder')}/jobs"
        requests.post(url, json=body, headers=headers, timeout=60).raise_for_status()

    sandbox.set_time_scale(0)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(submit, range(count)))
    if act.before == JobStatus.FAILED:
        sandbox.set_time_scale(1_000)
        while any(job["state"] != "failed" for job in sandbox.jobs()):
            time.sleep(0.2)
        sandbox.set_time_scale(0)


def _settled(bulk: BulkAction) -> int:
    bulk.refresh_from_db()
    return bulk.done + bulk.refused + bulk.failed


def _current(account: ProviderAccount, act: Act) -> int:
    return Job.objects.filter(account=account, is_newest=True, status=act.after).count()


def _is_over(bulk: BulkAction, account: ProviderAccount, act: Act, count: int) -> bool:
    bulk.refresh_from_db()
    return bulk.state == BulkState.DONE and _current(account, act) == count


def _judge(
    name: str,
    act: Act,
    bulk: BulkAction,
    sandbox: RunningSandbox,
    recovery_s: float | None,
    took_s: float,
    count: int,
) -> Row:
    times = [act.count(job) for job in sandbox.jobs()]
    entries = AuditEntry.objects.filter(action_id=bulk.audit_id, action=act.audit_action)
    requested = Counter(entries.values_list("target_id", flat=True))
    doubled = sum(max(one - 1, 0) for one in times) + requested.total() - len(requested)
    wrong = bulk.targets.exclude(outcome=BulkOutcome.DONE).count()
    account = ProviderAccount.objects.get(organization=bulk.organization)
    wrong += count - _current(account, act)
    excess, rate = describe_rate(sandbox, PER_MINUTE)
    notes = f"{count} jobs in {took_s:.0f} s, kills and a flush included; {rate}"
    return Row(name, times.count(0), doubled, wrong + excess, recovery_s, notes)
