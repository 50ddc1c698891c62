"""The broker on a real Redis, which is flushed and killed while jobs are submitted and synced."""

from collections import Counter

import pytest

from jobs.models import Job, ProviderAccount
from sandbox.server import RunningSandbox
from tests.redis.conftest import SEEDED, all_ended, jobs_there, wait_for
from tests.redis.server import RedisServer
from tests.workers import Workers

pytestmark = [pytest.mark.redis, pytest.mark.django_db(transaction=True)]


def test_a_flushed_and_a_killed_redis_cost_nothing_but_time(
    provider: RunningSandbox, account: ProviderAccount, workers: Workers, redis_server: RedisServer
) -> None:
    workers.start()
    workers.submit(account, "before.mov")
    wait_for(lambda: all_ended(1), workers)
    with workers.paused():
        workers.submit(account, "flushed-1.mov", "flushed-2.mov")
        with redis_server.client() as client:
            assert client.llen("celery")  # without the one that the worker waits for already
        redis_server.flush()
    wait_for(lambda: all_ended(3), workers)
    with workers.paused():
        workers.submit(account, "killed-1.mov", "killed-2.mov")
        redis_server.kill()
    workers.submit(account, "away-1.mov", "away-2.mov")
    redis_server.start()
    wait_for(lambda: all_ended(7), workers)

    names = [f"{when}-{number}.mov" for when in ("flushed", "killed", "away") for number in (1, 2)]
    assert jobs_there(provider) == Counter(["before.mov", *names])
    assert Job.objects.count() == SEEDED + 7
