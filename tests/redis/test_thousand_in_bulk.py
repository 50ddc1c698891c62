"""A thousand failures retried and a thousand jobs cancelled, with kills; prints what it took."""

import sys
import time
from collections import Counter
from collections.abc import Iterator

import pytest
import requests

from jobs.bulk.service import BulkRequest, start
from jobs.models import BulkAction, BulkKind, BulkState, Job, JobAction, ProviderAccount
from jobs.query.visibility import Visibility
from organizations.models import AuditEntry, Role
from providers.core.status import JobStatus
from sandbox.server import RunningSandbox
from sandbox.server import start as start_sandbox
from tests.factories import make_membership, make_organization
from tests.jobs.factories import make_account
from tests.redis.conftest import wait_for
from tests.redis.server import RedisServer
from tests.workers import Workers

pytestmark = [
    pytest.mark.faults,
    pytest.mark.redis,
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
]

COUNT = 1_000
PER_MINUTE = 1_200
# how many are settled when the worker is killed
KILLS = (200, 500, 800)
PATIENCE_S = 1_800
HELD = 0


@pytest.fixture
def provider() -> Iterator[RunningSandbox]:
    with start_sandbox(encode=False, rate_limit=PER_MINUTE, time_scale=1_000) as sandbox:
        yield sandbox


@pytest.fixture
def account(transactional_db: None, provider: RunningSandbox) -> ProviderAccount:
    return make_account(
        make_organization(),
        base_url=provider.api_url("zencoder"),
        credentials={"api_key": provider.keys["zencoder_api_key"]},
        options={"requests_per_minute": str(PER_MINUTE)},
        imported_at=None,
        last_pass_at=None,
    )


def add_jobs(provider: RunningSandbox, name: str) -> list[str]:
    """So many jobs at the provider itself; their ids."""
    ids = []
    with requests.Session() as session:
        session.headers["Zencoder-Api-Key"] = provider.keys["zencoder_api_key"]
        for number in range(COUNT):
            body = {"input": f"s3://rushes/{name}-{number}.mov"}
            answer = session.post(f"{provider.api_url('zencoder')}/jobs", json=body, timeout=60)
            ids.append(str(answer.json()["id"]))
    return ids


def count_settled(bulk: BulkAction) -> int:
    bulk.refresh_from_db()
    return bulk.done + bulk.refused + bulk.failed


def run(
    kind: BulkKind, query: str, account: ProviderAccount, workers: Workers, broker: RedisServer
) -> tuple[BulkAction, float]:
    """Carried out, with the worker killed three times and the broker flushed; and the seconds."""
    user = make_membership(account.organization, Role.OPERATOR).user
    began_at = time.monotonic()
    bulk = start(BulkRequest(kind, Visibility(account.organization), query), user=user)
    for kill, settled in enumerate(KILLS):
        wait_for(lambda settled=settled: count_settled(bulk) >= settled, workers, PATIENCE_S)  # type: ignore[misc]
        workers.kill()
        if kill == 1:
            broker.flush()
        workers.start()
    wait_for(lambda: count_settled(bulk) == COUNT, workers, PATIENCE_S)
    took_s = time.monotonic() - began_at
    wait_for(lambda: BulkAction.objects.get(pk=bulk.pk).state == BulkState.DONE, workers)
    return bulk, took_s


def report(provider: RunningSandbox, bulk: BulkAction, took_s: float) -> Counter[str]:
    """Print it; returns how often each call came."""
    seen = provider.state()["requests"]
    lines = [
        f"\n{bulk.kind}: {bulk.done} done, {bulk.refused} refused, {bulk.failed} failed"
        f" in {took_s:.0f} s, three kills and a flushed broker included",
        *(
            f"  {seen['by_path'][path]:>6} in all, {most:>5} in the busiest minute: {path}"
            for path, most in sorted(seen["busiest_minute"].items())
            if path != "all"
        ),
        f"  all calls in the busiest minute: {seen['busiest_minute']['all']}",
    ]
    sys.stdout.write("\n".join(lines) + "\n")
    assert max(most for path, most in seen["busiest_minute"].items() if path != "all") <= PER_MINUTE
    assert "429" not in seen["by_status"]
    return Counter(seen["by_path"])


def test_a_thousand_are_retried_and_cancelled_once_each(
    provider: RunningSandbox,
    account: ProviderAccount,
    workers: Workers,
    redis_server: RedisServer,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Times are for a person to read."""
    failing = add_jobs(provider, "corrupt")
    ours = Job.objects.filter(account=account)
    workers.start()
    failed = ours.filter(status=JobStatus.FAILED, remote_id__in=failing)
    wait_for(lambda: failed.count() == COUNT, workers, PATIENCE_S)
    provider.set_time_scale(HELD)
    queued = add_jobs(provider, "harbour")
    waiting = ours.filter(remote_id__in=queued, status__in=["queued", "running"])
    wait_for(lambda: waiting.count() == COUNT, workers, PATIENCE_S)

    time.sleep(60)  # what prepared it is none of the minutes that are counted
    provider.clear_requests()
    cancel, took_s = run(BulkKind.CANCEL, "status:queued,running", account, workers, redis_server)
    with capsys.disabled():
        report(provider, cancel, took_s)
    assert (cancel.done, cancel.targets_found) == (COUNT, COUNT)
    assert ours.filter(status=JobStatus.CANCELLED, remote_id__in=queued).count() == COUNT

    time.sleep(60)
    provider.clear_requests()
    retry, took_s = run(BulkKind.RESUBMIT, "status:failed", account, workers, redis_server)
    with capsys.disabled():
        calls = report(provider, retry, took_s)
    # A worker may die after it wrote that it sends and before it has: then nobody sends again, and
    # the job says that it was not confirmed.
    assert (retry.done + retry.failed, retry.targets_found) == (COUNT, COUNT)
    assert retry.done <= calls["PUT /zencoder/api/v2/jobs/{id}/resubmit"] <= COUNT
    attempts = ours.filter(remote_id__in=failing, attempt=2)
    assert Counter(attempts.values_list("attempt", flat=True)) == {2: COUNT}
    assert not ours.filter(attempt__gt=2).exists()

    for bulk, action in ((cancel, "job.cancel_requested"), (retry, "job.resubmit_requested")):
        entries = AuditEntry.objects.filter(action_id=bulk.audit_id, action=action)
        assert entries.count() == entries.values("target_id").distinct().count() == COUNT
    requested = Counter(JobAction.objects.values_list("kind", flat=True))
    assert requested == {"cancel": COUNT, "resubmit": COUNT}
