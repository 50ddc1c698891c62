"""The services that some tests need: whether they are there, and how to get them."""

import getpass
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg


@dataclass(frozen=True)
class Service:
    """`marker` is what a test that needs the service carries."""

    marker: str
    name: str
    address: str
    how_to_get: str
    _probe: Callable[[str], bool]

    def is_there(self) -> bool:
        return _found(self)


@cache
def _found(service: Service) -> bool:
    return service._probe(service.address)


def _answers_postgres(address: str) -> bool:
    try:
        with psycopg.connect(address, connect_timeout=3) as connection:
            row = connection.execute(
                "select rolcreatedb or rolsuper from pg_roles where rolname = current_user"
            ).fetchone()
    except psycopg.Error:
        return False
    return bool(row and row[0])


def _is_program(path: str) -> bool:
    return bool(path) and Path(path).is_file()


def _chromium() -> str:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next(filter(None, map(shutil.which, names)), "")


POSTGRES = Service(
    "postgres",
    "PostgreSQL",
    os.environ.get("TEST_DATABASE_URL")
    or f"postgres://{getpass.getuser()}@127.0.0.1:5432/postgres",
    "apt-get install postgresql, start it, and give TEST_DATABASE_URL a role that may create "
    "databases",
    _answers_postgres,
)
REDIS = Service(
    "redis",
    "Redis",
    # The tests start servers themselves, and kill them.
    os.environ.get("TEST_REDIS_SERVER") or shutil.which("redis-server") or "",
    "apt-get install redis-server, or give TEST_REDIS_SERVER its path",
    _is_program,
)
CHROMIUM = Service(
    "browser",
    "Chromium",
    os.environ.get("TEST_CHROMIUM") or _chromium(),
    "apt-get install chromium, or give TEST_CHROMIUM the path of a Chrome",
    _is_program,
)
NODE = Service(
    "node",
    "Node.js 18 or newer",
    os.environ.get("TEST_NODE") or shutil.which("node") or "",
    "apt-get install nodejs, or give TEST_NODE the path of a node",
    _is_program,
)
ALL = (POSTGRES, REDIS, CHROMIUM, NODE)


def are_requested() -> bool:
    """Whether this is the run with services: the database tests are on PostgreSQL then."""
    return os.environ.get("TEST_SERVICES") == "1"


def required() -> bool:
    """Whether a service that is not there is a failure rather than a remark."""
    return os.environ.get("REQUIRE_SERVICES") == "1"
