"""Which tests run on this machine, and what all of them share.

Tests that need a service say so with a marker: `postgres`, `redis`, `browser`, `node`. Tests that
could pass on one database and fail on the other are marked `database`, most of them here, and the
run with services repeats them on PostgreSQL. What goes through the whole product
(tests/acceptance), drives the sandbox or starts programs is marked `integration`; all else are the
unit tests. What could not run is named in the closing lines.
"""

import functools
import gc
import subprocess
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest
from django.conf import settings
from django.core.cache import cache
from django.core.management import call_command
from django.db import transaction
from django.test import TransactionTestCase
from pytest_django.plugin import DjangoDbBlocker
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from jobs.workqueue.slots import SLOTS
from providers.http.tokens import TOKENS
from tests import services
from tests.emptying import empty_database
from tests.redis.server import RedisServer

# Below the entry points, where rows are locked, merged, constrained and searched.
ON_BOTH_DATABASES = tuple(
    f"tests.jobs.{package}."
    for package in (
        *("accounts", "actions", "batches", "bulk", "mirror", "models", "query"),
        *("stuck", "submission", "sync", "webhooks", "workqueue"),
    )
)
# From a request to the database and back.
WHOLE_PRODUCT = ("tests.acceptance.", "tests.jobs.admin.", "tests.jobs.api.", "tests.jobs.views.")
TRANSACTIONAL_FIXTURES = {"transactional_db", "live_server"}
# Enough for each run; `--hypothesis-profile=thorough` looks for longer.
hypothesis.settings.register_profile("quick", max_examples=20, deadline=None)
hypothesis.settings.register_profile("thorough", max_examples=1000, deadline=None)
hypothesis.settings.load_profile("quick")

# Markers of the tests that take longest.
LONGEST = ("demo", "browser")

LEFT_OUT = pytest.StashKey[Counter[services.Service]]()
# How many tests carry each marker, of those that were collected.
SELECTS = pytest.StashKey[Counter[str]]()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Generator[None, None, None]:
    _mark(config, items)
    yield  # -m chooses by the markers, and the order becomes a random one
    # The longest begin first: at the end, the other processes would wait for them.
    items.sort(key=lambda item: [not item.get_closest_marker(name) for name in LONGEST])


def _mark(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        module = item.getparent(pytest.Module)
        is_integration = bool(module and _is_integration(module.obj))
        if is_integration:
            item.add_marker(pytest.mark.integration)
        is_below = not is_integration and _name(module).startswith(ON_BOTH_DATABASES)
        if not item.get_closest_marker("any_database") and (
            _has_real_transactions(item) or (is_below and _asks_the_database(item))
        ):
            item.add_marker(pytest.mark.database)
    config.stash[SELECTS] = Counter(
        mark for item in items for mark in {marker.name for marker in item.iter_markers()}
    )


def _name(module: pytest.Module | None) -> str:
    return str(module.obj.__name__) if module else ""


def _asks_the_database(item: pytest.Item) -> bool:
    return bool(item.get_closest_marker("django_db")) or "db" in getattr(item, "fixturenames", ())


def _has_real_transactions(item: pytest.Item) -> bool:
    marker = item.get_closest_marker("django_db")
    return bool(marker and marker.kwargs.get("transaction")) or not (
        TRANSACTIONAL_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))
    )


@functools.cache
def _is_integration(module: ModuleType) -> bool:
    return module.__name__.startswith(WHOLE_PRODUCT) or any(
        value is subprocess or str(getattr(value, "__module__", "")).startswith("sandbox.")
        for value in vars(module).values()
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Skip, of the tests that were chosen, those whose service is not there."""
    left_out: Counter[services.Service] = Counter()
    for item in session.items:
        needed = {service for service in services.ALL if item.get_closest_marker(service.marker)}
        if services.are_requested() and not needed and item.get_closest_marker("database"):
            needed = {services.POSTGRES}  # on SQLite it has already run
        for service in sorted(needed, key=lambda service: service.name):
            if not service.is_there():
                left_out[service] += 1
                item.add_marker(pytest.mark.skip(reason=f"no {service.name}"))
    session.config.stash[LEFT_OUT] = left_out
    _spare_the_garbage_collector()


def _spare_the_garbage_collector() -> None:
    """What is there by now stays to the end, and is not worth another visit: a fifth of all CPU."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(7_000, 20, 20)


class OneBoard(LoadScopeScheduling):
    """The tests of pages in a browser share a board, so one process runs all of them."""

    def _split_scope(self, nodeid: str) -> str:
        return "browser" if nodeid.startswith("tests/browser/") else nodeid


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> OneBoard | None:
    # xdist's own groups, by marker, are without effect since pytest 9.2.
    return OneBoard(config, log) if config.getvalue("dist") == "loadscope" else None


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


@pytest.fixture(scope="session")
def django_db_setup(
    django_db_setup: None,
    django_db_use_migrations: bool,
    django_db_blocker: DjangoDbBlocker,
) -> None:
    """Where the tables come from the models, in half the time, the migrations count as applied.

    The run with services applies them, and lint sees that they make the same tables.
    """
    if not django_db_use_migrations:
        settings.MIGRATION_MODULES = {}
        with django_db_blocker.unblock():
            call_command("migrate", fake=True, verbosity=0)


@pytest.fixture(autouse=True, scope="session")
def quick_flush() -> Iterator[None]:
    """What empties the database after tests with real transactions, the audit log, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", empty_database)
        yield


@pytest.fixture(scope="module")
def kept_rows(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """What the fixtures of a module make after this one stays there for each of its tests.

    A test begins from that, whatever the others changed. Only for modules whose tests all have
    `django_db` without real transactions; each test takes copies of the instances.
    """
    with django_db_blocker.unblock(), transaction.atomic():
        yield
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def empty_cache() -> Iterator[None]:
    """Rate limits and the like are counted in the cache: no test sees another's, or its tokens.

    Nor what another test's work waited for, which would have a task dispatch once more.
    """
    cache.clear()
    TOKENS.clear()
    vars(SLOTS).update(_has_waiting=False, _has_freed=False)
    yield
    cache.clear()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path)
    yield server
    server.kill()
