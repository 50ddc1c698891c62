"""A query that would run for minutes is stopped, and its reader gets to know why."""

import json
import subprocess
import sys
from collections.abc import Iterator
from copy import deepcopy

import pytest
from django.db import OperationalError, connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.db.backends.utils import CursorWrapper
from django.test import RequestFactory

from dashboard.web.slow_pages import SlowPages
from jobs.api.http.json_api import HANDLERS
from jobs.models import statement_limit

ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000000000)"
    " SELECT count(*) FROM n"
)


@pytest.fixture
def limited(db: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[BaseDatabaseWrapper]:
    """A connection as a web process makes it, with a shorter limit."""
    monkeypatch.setattr(statement_limit, "LIMIT_S", 0.2)
    monkeypatch.setitem(connections.settings, "default", deepcopy(connections.settings["default"]))
    receivers = list(connection_created.receivers)
    statement_limit.limit_statements()
    connection = connections.create_connection("default")
    yield connection
    connection.close()
    connection_created.receivers = receivers
    connection_created.sender_receivers_cache.clear()


def _run(cursor: CursorWrapper, sql: str) -> list[tuple[int]]:
    cursor.execute(sql)
    return cursor.fetchall()  # SQLite runs the query as its rows are fetched


@pytest.mark.database
def test_an_endless_query_is_stopped_and_answered(limited: BaseDatabaseWrapper) -> None:
    with limited.cursor() as cursor:
        with pytest.raises(OperationalError) as stopped:
            _run(cursor, ENDLESS)
        assert _run(cursor, "SELECT 1") == [(1,)]

    request = RequestFactory().get("/o/studio/jobs/")
    page = SlowPages(lambda request: None).process_exception(request, stopped.value)  # type: ignore[arg-type, return-value]
    assert page is not None
    assert page.status_code == 503
    assert statement_limit.TOO_SLOW in page.content.decode()
    answer = HANDLERS[OperationalError](request, stopped.value)
    assert (answer.status_code, json.loads(answer.content)["error"]["code"]) == (503, "too_slow")


def test_another_failure_of_the_database_is_not_taken_for_it() -> None:
    refused = OperationalError("server closed the connection unexpectedly")
    assert not statement_limit.is_too_slow(refused)
    page = SlowPages(lambda request: None)  # type: ignore[arg-type, return-value]
    assert page.process_exception(RequestFactory().get("/"), refused) is None


def test_a_web_process_has_the_limit() -> None:
    code = (
        "import dashboard.wsgi; from django.db import connection; connection.ensure_connection();"
        "print([type(one).__name__ for one in connection.execute_wrappers],"
        " connection.settings_dict['OPTIONS'].get('options'))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "_ReadLimit" in run.stdout or "=5000 -c enable_seqscan=off -c jit=off" in run.stdout
