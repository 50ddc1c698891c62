"""A worker that is killed at any statement, or works beside another one, submits nothing twice."""

from collections import Counter

import pytest

from jobs.batches.sending import submit_input
from jobs.batches.worker import run_batch
from jobs.models import Batch, BatchState, Job, ProviderAccount
from jobs.workqueue import leases
from organizations.models import AuditEntry
from tests.jobs.batches.conftest import Begin, work
from tests.jobs.bulk.test_killed import run_until
from tests.jobs.fake_zencoder import FakeZencoder
from tests.threads import together


@pytest.mark.django_db(transaction=True)
def test_killed_at_any_statement_it_resumes(
    account: ProviderAccount, zencoder: FakeZencoder, begin: Begin
) -> None:
    point, was_killed = 0, True
    while was_killed:
        point += 1
        batch = begin(1, name=f"reels-{point}")
        was_killed = run_until(point, lambda batch=batch: run_batch(batch.pk))  # type: ignore[misc]
        # the lease runs out
        Batch.objects.update(lease=None, leased_until=None, dispatched_until=None)
        work(batch)
        assert (batch.state, batch.submitted, batch.refused) == (BatchState.SENT, 1, 0), point
        jobs = Job.objects.filter(batch=batch)
        assert (jobs.count(), len(zencoder.sent)) == (1, point), point
        assert {row.job for row in batch.inputs.all()} == set(jobs), point
        entries = AuditEntry.objects.filter(action_id=batch.audit_id, action="job.submitted")
        assert entries.count() == 1, point
    assert point > 6


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_submit_each_input_once(account: ProviderAccount, begin: Begin) -> None:
    batch = begin(9)
    together(*[lambda: run_batch(batch.pk)] * 3)
    names = Counter(Job.objects.values_list("name", flat=True))
    assert (len(names), names.most_common(1)[0][1]) == (9, 1)


@pytest.mark.django_db
def test_a_worker_that_was_paused_past_its_lease_submits_nothing(
    account: ProviderAccount, begin: Begin
) -> None:
    batch = begin(1)
    slow = leases.take(Batch.objects.all(), batch.pk, leases.CALL_LEASE, "organization", "account")
    Batch.objects.update(lease=None, leased_until=None)
    fast = leases.take(Batch.objects.all(), batch.pk, leases.CALL_LEASE, "actor", "account")
    stored = batch.inputs.get()
    assert slow is not None
    assert fast is not None
    with pytest.raises(leases.LeaseLost):
        submit_input(slow, stored.pk)
    for _ in range(2):
        submit_input(fast, stored.pk)
    assert Job.objects.count() == 1
