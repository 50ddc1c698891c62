"""A worker that is killed at any statement, or works beside another one, does nothing twice."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from jobs.bulk import preparing
from jobs.bulk.requesting import request_target
from jobs.bulk.worker import run_bulk
from jobs.models import Batch, BulkAction, BulkState, Job, JobAction, ProviderAccount, ProviderHost
from jobs.workqueue import leases
from organizations.models import AuditEntry
from tests.jobs.bulk.conftest import Start, fail, make_backup, outcomes, work
from tests.jobs.factories import make_job
from tests.jobs.fake_zencoder import FakeZencoder
from tests.threads import together

STATUSES = {"cancel": ("processing", "running"), "resubmit": ("failed", "failed")}


class Killed(BaseException):
    """Nothing that a worker could handle."""


def run_until(point: int, run: Callable[[], None]) -> bool:
    """Run until this point, and execute nothing after it; False where it ended first.

    Points are the first statement, and the first after each transaction that wrote, which may be
    a statement by itself. A worker that is killed anywhere else leaves the same behind as one that
    is killed at the point before.
    """
    count, has_written, within = 0, True, object()

    def count_and_kill(execute: Callable[..., Any], sql: str, *args: Any) -> Any:
        nonlocal count, has_written, within
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN")):
            transaction = next(iter(connection.atomic_blocks), None)
            if transaction is None or transaction is not within:
                count += has_written
                has_written, within = False, transaction
            if count >= point:
                raise Killed
            has_written |= not sql.startswith("SELECT")
        return execute(sql, *args)

    try:
        with connection.execute_wrapper(count_and_kill):
            run()
    except Killed:
        return True
    return False


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("kind", ["cancel", "resubmit"])
def test_killed_at_any_statement_it_resumes(
    account: ProviderAccount,
    zencoder: FakeZencoder,
    begin: Start,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    monkeypatch.setattr(preparing, "CHUNK", 1)
    # a retry is more statements: one job has all of them
    count = 2 if kind == "cancel" else 1
    theirs, ours = STATUSES[kind]
    point, was_killed = 0, True
    while was_killed:
        point += 1
        numbers = [1_000 + 2 * point + number for number in range(count)]
        for number in numbers:
            zencoder.add(number, theirs)
        jobs = [make_job(account, remote_id=str(number), status=ours) for number in numbers]
        bulk = begin(kind, f"id:{','.join(str(job.pk) for job in jobs)}")
        was_killed = run_until(point, lambda bulk=bulk: run_bulk(bulk.pk))  # type: ignore[misc]
        # the lease runs out
        BulkAction.objects.update(lease=None, leased_until=None, dispatched_until=None)
        work(bulk)
        assert outcomes(bulk) == {job.pk: "done" for job in jobs}, point
        assert (bulk.state, bulk.done, bulk.remaining) == (BulkState.DONE, count, 0), point
        assert (bulk.matched, bulk.targets_found) == (count, count), point
        requested = JobAction.objects.filter(job__remote_id__in=numbers)
        assert (requested.count(), zencoder.asked[kind]) == (count, count * point), point
        entries = AuditEntry.objects.filter(action_id=bulk.audit_id, target_kind="job")
        assert entries.count() == count, point
    assert point > 8


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_it_retries_each_job_elsewhere_once(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Start
) -> None:
    backup = make_backup(account.organization)
    point, was_killed = 0, True
    while was_killed:
        point += 1
        job = fail(account)
        bulk = begin("resubmit_elsewhere", f"id:{job.pk}", account="backup")
        was_killed = run_until(point, lambda bulk=bulk: run_bulk(bulk.pk))  # type: ignore[misc]
        BulkAction.objects.update(lease=None, leased_until=None, dispatched_until=None)
        work(bulk)
        assert outcomes(bulk) == {job.pk: "done"}, point
        assert (bulk.state, bulk.done, bulk.remaining) == (BulkState.DONE, 1, 0), point
        made = Job.objects.get(retry_of=job)
        assert made.account == backup
        assert zencoder.asked["create"] == point
        entries = AuditEntry.objects.filter(action="job.retried_elsewhere", target_id=job.pk)
        assert entries.count() == 1, point
    assert point > 6


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_it_adds_each_job_to_the_batch_once(
    account: ProviderAccount, begin: Start
) -> None:
    point, was_killed = 0, True
    while was_killed:
        point += 1
        failed = make_job(account, status="failed")
        jobs = [failed, make_job(account, retry_of=failed)]
        ids = ",".join(str(job.pk) for job in jobs)
        bulk = begin("add_to_batch", f"id:{ids}", new_batch=f"batch {point}")
        was_killed = run_until(point, lambda bulk=bulk: run_bulk(bulk.pk))  # type: ignore[misc]
        BulkAction.objects.update(lease=None, leased_until=None, dispatched_until=None)
        work(bulk)
        assert outcomes(bulk) == {job.pk: "done" for job in jobs}, point
        assert (bulk.state, bulk.done, bulk.remaining) == (BulkState.DONE, 2, 0), point
        batch = Batch.objects.get(name=f"batch {point}")
        assert (batch.jobs.count(), batch.total, batch.added) == (2, 1, 1), point
        entries = AuditEntry.objects.filter(action_id=bulk.audit_id, target_kind="job")
        assert entries.count() == 2, point
    assert point > 6


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_ask_for_each_job_once(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Start
) -> None:
    jobs = [make_job(account, remote_id=str(number), status="running") for number in range(9)]
    bulk = begin("cancel", "status:running")
    together(*[lambda: run_bulk(bulk.pk)] * 3)
    assert JobAction.objects.count() == len(jobs)
    assert Counter(JobAction.objects.values_list("job", flat=True)).most_common(1)[0][1] == 1


@pytest.mark.django_db
def test_a_worker_that_was_paused_past_its_lease_asks_for_nothing(
    account: ProviderAccount, begin: Start
) -> None:
    make_job(account, status="queued")
    bulk = begin("cancel", "status:queued")
    slow = leases.take(BulkAction.objects.all(), bulk.pk, leases.CALL_LEASE, "organization")
    assert slow is not None
    preparing.prepare_chunk(slow)
    BulkAction.objects.update(lease=None, leased_until=None)
    fast = leases.take(BulkAction.objects.all(), bulk.pk, leases.CALL_LEASE, "actor", "token")
    target = bulk.targets.get()
    with pytest.raises(leases.LeaseLost):
        request_target(slow, target.pk)
    assert fast is not None
    for _ in range(2):
        request_target(fast, target.pk)
    assert JobAction.objects.count() == 1


@pytest.mark.django_db
def test_a_bulk_action_of_a_silent_host_waits(account: ProviderAccount, begin: Start) -> None:
    job = make_job(account, status="running")
    ProviderHost.objects.update(is_healthy=False)
    bulk = work(begin("cancel", "status:running"), rounds=2)
    assert (bulk.state, bulk.remaining) == (BulkState.RUNNING, 1)
    assert Job.objects.get(pk=job.pk).status == "running"
