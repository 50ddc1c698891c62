"""Which tests run on this machine, and what all of them share.

Tests that need a service say so with a marker: `postgres`, `redis`, `browser`. Every test that
asks the database is marked `database` here, so that the run with services repeats it on
PostgreSQL. What walks through the whole product (tests/acceptance), drives the sandbox or starts
programs is marked `integration`; all else are the unit tests. What could not run is named in the
closing lines.
"""

import functools
import subprocess
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest
from django.core.cache import cache

from jobs.workqueue.seats import SEATS
from providers.xvid.tokens import TOKENS
from tests import services
from tests.redis.server import RedisServer

DATABASE_FIXTURES = {"db", "transactional_db", "live_server", "django_db_setup"}
# Enough for each run; `--hypothesis-profile=thorough` looks for longer.
hypothesis.settings.register_profile("quick", max_examples=30, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=1000, deadline=None)
hypothesis.settings.load_profile("quick")

LEFT_OUT = pytest.StashKey[Counter[services.Service]]()


@pytest.hookimpl(tryfirst=True)  # before -m chooses by the markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("django_db") or DATABASE_FIXTURES & set(
            getattr(item, "fixturenames", ())
        ):
            item.add_marker(pytest.mark.database)
        module = item.getparent(pytest.Module)
        if module and _is_integration(module.obj):
            item.add_marker(pytest.mark.integration)


@functools.cache
def _is_integration(module: ModuleType) -> bool:
    return module.__name__.startswith("tests.acceptance.") or any(
        value is subprocess or str(getattr(value, "__module__", "")).startswith("sandbox.")
        for value in vars(module).values()
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Skip, of the tests that were chosen, those whose service is not there."""
    left_out: Counter[services.Service] = Counter()
    for item in session.items:
        needed = {service for service in services.ALL if item.get_closest_marker(service.marker)}
        if services.wanted() and not needed and item.get_closest_marker("database"):
            needed = {services.POSTGRES}  # on SQLite it has already run
        for service in sorted(needed, key=lambda service: service.name):
            if not service.is_there():
                left_out[service] += 1
                item.add_marker(pytest.mark.skip(reason=f"no {service.name}"))
    session.config.stash[LEFT_OUT] = left_out


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let what a test logged, lone surrogates too, travel from a process of xdist's."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if services.required() and session.config.stash.get(LEFT_OUT, None):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    left_out = terminalreporter.config.stash.get(LEFT_OUT, None)
    if not left_out:
        return
    verdict = "a failure, since REQUIRE_SERVICES=1" if services.required() else "not a failure"
    terminalreporter.section(f"not run on this machine ({verdict})")
    for service, count in left_out.items():
        terminalreporter.line(f"{count} tests need {service.name}, which was not found.")
        terminalreporter.line(f"    To run them: {service.how_to_get}.")


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """Rate limits and the like are counted in the cache: no test sees another's, or its tokens.

    Nor what another test's work waited for, which would have a task dispatch once more.
    """
    cache.clear()
    TOKENS.clear()
    vars(SEATS).update(_is_wanted=False, _is_freed=False)
    yield
    cache.clear()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.kill()
