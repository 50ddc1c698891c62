"""The cache on a real Redis: what is counted is shared, and the API works on without it."""

from collections.abc import Iterator

import pytest
import time_machine
from django.test import override_settings

from dashboard.settings import REDIS_TIMEOUTS
from jobs.api.http.rate import REQUESTS_PER_MINUTE
from organizations.models import Scope
from tests.factories import make_organization
from tests.jobs.api.conftest import ApiClient, make_client
from tests.jobs.factories import NOON
from tests.redis.server import RedisServer

pytestmark = [pytest.mark.redis, pytest.mark.django_db]


@pytest.fixture(autouse=True)
def shared_cache(redis_server: RedisServer) -> Iterator[None]:
    backend = "django.core.cache.backends.redis.RedisCache"
    config = {"BACKEND": backend, "LOCATION": redis_server.url, "OPTIONS": REDIS_TIMEOUTS}
    # within one minute, by which requests are counted
    with override_settings(CACHES={"default": config}), time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
def reader() -> ApiClient:
    return make_client(make_organization("north"), Scope.READ)


def use_up_the_limit(reader: ApiClient, server: RedisServer) -> None:
    assert reader.get("/jobs").status == 200
    with server.client() as client:
        (key,) = client.scan_iter("*api-requests*")
        client.set(key, REQUESTS_PER_MINUTE)
    assert reader.get("/jobs").status == 429


def test_requests_are_counted_there_and_a_flush_begins_anew(
    reader: ApiClient, redis_server: RedisServer
) -> None:
    use_up_the_limit(reader, redis_server)
    redis_server.flush()
    assert reader.get("/jobs").status == 200


def test_the_api_answers_while_redis_is_gone_and_counts_again_after(
    reader: ApiClient, redis_server: RedisServer
) -> None:
    use_up_the_limit(reader, redis_server)
    redis_server.kill()
    assert reader.get("/jobs").status == 200
    redis_server.start()
    use_up_the_limit(reader, redis_server)


def test_the_api_answers_while_redis_is_silent(
    reader: ApiClient, redis_server: RedisServer
) -> None:
    with redis_server.paused():
        assert reader.get("/jobs").status == 200
