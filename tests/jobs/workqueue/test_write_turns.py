"""Two writers of one SQLite file: neither keeps the other waiting until it fails."""

import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from django.db.utils import ConnectionHandler

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]


@pytest.fixture
def connections(tmp_path: Path) -> ConnectionHandler:
    """One for each thread, to a file of their own."""
    options = {"timeout": 20, "transaction_mode": "IMMEDIATE",
               "init_command": "PRAGMA journal_mode=WAL;"}  # fmt: skip
    values = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "db.sqlite3")}
    return ConnectionHandler({"default": values | {"OPTIONS": options}})


@pytest.fixture
def busy(connections: ConnectionHandler) -> Iterator[Any]:
    """Somebody else writes, again and again, for four seconds."""
    begun, is_over = Event(), Event()
    with connections["default"].cursor() as cursor:
        cursor.execute("CREATE TABLE marks (mark INTEGER)")

    def write() -> None:
        connection = connections["default"]
        ends_at = time.monotonic() + 4
        with connection.cursor() as cursor:
            while time.monotonic() < ends_at and not is_over.is_set():
                cursor.execute("BEGIN IMMEDIATE")
                cursor.execute("INSERT INTO marks VALUES (1)")
                begun.set()
                time.sleep(0.02)
                cursor.execute("COMMIT")
        connection.close()

    thread = Thread(target=write)
    thread.start()
    begun.wait()
    yield connections["default"]
    is_over.set()
    thread.join()
    connections["default"].close()


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "INSERT INTO marks VALUES (2)"])
def test_whoever_wants_to_write_gets_a_turn(busy: Any, begin: str) -> None:
    with busy.cursor() as cursor:
        for _ in range(5):
            started = time.monotonic()
            cursor.execute(begin)
            assert time.monotonic() - started < 1
            cursor.execute("SELECT 1" if begin.startswith("INSERT") else "COMMIT")
