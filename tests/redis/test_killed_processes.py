"""Workers and Redis are killed again and again; each job is at its provider once in the end."""

import random
import time
from collections import Counter

import pytest
from django.utils import timezone

from jobs.models import Job, ProviderAccount, Submission
from sandbox.server import RunningSandbox
from tests.redis.conftest import SEEDED, all_ended, jobs_there, wait_for
from tests.redis.server import RedisServer
from tests.workers import Workers

pytestmark = [pytest.mark.faults, pytest.mark.redis, pytest.mark.django_db(transaction=True)]

ROUNDS = 12
# What a killed worker held is left to it for two minutes and a half, and then searched.
PATIENCE_S = 900


def is_sending() -> bool:
    return Submission.objects.filter(leased_until__gt=timezone.now()).exists()


def test_nothing_is_lost_or_sent_twice(
    provider: RunningSandbox, account: ProviderAccount, workers: Workers, redis_server: RedisServer
) -> None:
    chance = random.Random(11)  # noqa: S311 - no secret
    workers.start()
    names = [f"{number}-{part}.mov" for number in range(ROUNDS) for part in "abc"]
    for number in range(ROUNDS):
        # answers take a while, so that a kill comes between a request and its answer
        provider.set_faults({"slow": {"rate": 0.7, "delay_s": 1}})
        workers.submit(account, *(name for name in names if name.startswith(f"{number}-")))
        if number % 2:
            wait_for(is_sending, workers)
            workers.kill()
            workers.start()
        elif number % 4:
            redis_server.kill()
            time.sleep(chance.uniform(0, 3))
            redis_server.start()
        else:
            redis_server.flush()
    provider.clear_faults()
    wait_for(lambda: all_ended(len(names)), workers, PATIENCE_S)
    assert jobs_there(provider) == Counter(names)
    assert Job.objects.count() == SEEDED + len(names)
