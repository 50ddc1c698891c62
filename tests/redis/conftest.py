"""A provider, workers and Redis, each to be stopped in the middle of its work."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from jobs.models import ProviderAccount, Submission, SubmissionState
from providers.core.status import JobStatus
from sandbox.server import RunningSandbox, start
from tests.factories import make_organization
from tests.jobs.factories import make_account
from tests.redis.server import RedisServer
from tests.waiting import PATIENCE_S
from tests.workers import Workers

SEEDED = 40


@pytest.fixture
def provider() -> Iterator[RunningSandbox]:
    with start(encode=False, rate_limit=0, time_scale=20, seed_jobs=SEEDED) as sandbox:
        yield sandbox


@pytest.fixture
def account(transactional_db: None, provider: RunningSandbox) -> ProviderAccount:
    return make_account(
        make_organization(),
        base_url=provider.api_url("zencoder"),
        credentials={"api_key": provider.keys["zencoder_api_key"]},
        options={"requests_per_minute": "100000", "interval_s": "2"},
        imported_at=None,
        last_pass_at=None,
    )


@pytest.fixture
def workers(transactional_db: None, tmp_path: Path, redis_server: RedisServer) -> Iterator[Workers]:
    workers = Workers(tmp_path, redis_server.url)
    yield workers
    workers.stop()


def jobs_there(provider: RunningSandbox) -> Counter[str]:
    """How often each file was submitted, as the provider has it."""
    inputs: Counter[str] = Counter()
    for page in range(1, 9):
        answer = requests.get(
            f"{provider.api_url('zencoder')}/jobs",
            params={"page": page},
            headers={"Zencoder-Api-Key": provider.keys["zencoder_api_key"]},
            timeout=60,
        )
        inputs.update(one["job"]["input_media_file"]["url"] for one in answer.json())
    return Counter(
        {url.rpartition("/")[2]: count for url, count in inputs.items() if "//rushes/" in url}
    )


def wait_for(condition: Callable[[], bool], workers: Workers, seconds: float = PATIENCE_S) -> None:
    give_up_at = time.monotonic() + seconds
    while not condition():
        assert workers.are_alive(), workers.log()
        assert time.monotonic() < give_up_at, workers.log()
        time.sleep(0.2)


def all_ended(count: int) -> bool:
    """Whether so many submissions are done, and a pass has seen each of their jobs to its end."""
    done = Submission.objects.filter(state=SubmissionState.DONE)
    return done.filter(job__status=JobStatus.SUCCEEDED).count() == count
