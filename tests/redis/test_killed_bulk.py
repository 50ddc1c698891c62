"""Workers are killed while they act on many jobs; each job is acted on once in the end."""

from collections import Counter

import pytest

from jobs.bulk.service import BulkRequest, start
from jobs.models import BulkAction, BulkKind, BulkState, Job, JobAction, ProviderAccount
from jobs.query.visibility import Visibility
from organizations.models import AuditEntry, Role, User
from providers.core.status import JobStatus
from sandbox.server import RunningSandbox
from tests.factories import make_membership
from tests.redis.conftest import wait_for
from tests.redis.server import RedisServer
from tests.workers import Workers

pytestmark = [pytest.mark.faults, pytest.mark.redis, pytest.mark.django_db(transaction=True)]

COUNT = 60
# What a killed worker held is left to it for seconds, or, of a call, for a minute and a half.
PATIENCE_S = 600


def count_settled(bulk: BulkAction) -> int:
    bulk.refresh_from_db()
    return bulk.done + bulk.refused + bulk.failed


def run(
    kind: BulkKind, jobs: list[int], account: ProviderAccount, user: User, workers: Workers,
    broker: RedisServer,
) -> BulkAction:  # fmt: skip
    """Act on the jobs, with the worker killed three times and the broker flushed once."""
    bulk = start(BulkRequest(kind, Visibility(account.organization), ids=jobs), user=user)
    for part in (1, 2, 3):
        wait_for(lambda part=part: count_settled(bulk) >= part * 12, workers, PATIENCE_S)  # type: ignore[misc]
        workers.kill()
        if part == 2:
            broker.flush()
        workers.start()
    wait_for(lambda: count_settled(bulk) == COUNT, workers, PATIENCE_S)
    wait_for(lambda: BulkAction.objects.get(pk=bulk.pk).state == BulkState.DONE, workers)
    return bulk


def test_each_job_is_cancelled_and_retried_once(
    provider: RunningSandbox, account: ProviderAccount, workers: Workers, redis_server: RedisServer
) -> None:
    # no job ends by itself meanwhile
    provider.set_time_scale(0.01)
    user = make_membership(account.organization, Role.OPERATOR).user
    workers.start()
    workers.submit(account, *(f"{number}.mov" for number in range(COUNT)))
    ours = Job.objects.filter(submission__isnull=False)
    accepted = ours.filter(remote_id__isnull=False)
    wait_for(lambda: accepted.count() == COUNT, workers, PATIENCE_S)
    jobs = list(ours.values_list("pk", flat=True))

    cancel = run(BulkKind.CANCEL, jobs, account, user, workers, redis_server)
    assert (cancel.done, ours.filter(status=JobStatus.CANCELLED).count()) == (COUNT, COUNT)

    retry = run(BulkKind.RESUBMIT, jobs, account, user, workers, redis_server)
    assert retry.done == COUNT
    attempts = Job.objects.filter(retry_of__in=ours)
    assert Counter(attempts.values_list("attempt", flat=True)) == {2: COUNT}
    for bulk, action in ((cancel, "job.cancel_requested"), (retry, "job.resubmit_requested")):
        entries = AuditEntry.objects.filter(action_id=bulk.audit_id, action=action)
        assert Counter(entries.values_list("target_id").distinct()).total() == COUNT
        assert entries.count() == COUNT
        assert not bulk.targets.exclude(outcome="done").exists()
    requested = JobAction.objects.values_list("kind", flat=True)
    assert Counter(requested) == {"cancel": COUNT, "resubmit": COUNT}
