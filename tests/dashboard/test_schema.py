"""A database that an earlier version made is recognized, and refused with a sentence."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core import checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from dashboard import schema
from scripts.supervise import PROJECT_DIR

# What each kind of rewritten migration leaves behind: another column, or an index less.
CHANGES = (
    "ALTER TABLE jobs_jobbody ADD COLUMN dropped_since integer",
    "ALTER TABLE jobs_jobbody RENAME COLUMN stored_at TO added_since",
    "DROP INDEX account_due",
    "DROP TABLE jobs_jobsecret",
)


@pytest.fixture(autouse=True)
def new_process() -> Iterator[None]:
    schema.MATCHED.clear()
    yield
    schema.MATCHED.clear()


@pytest.mark.django_db
@pytest.mark.parametrize("statement", CHANGES)
def test_an_older_database_is_refused(client: Client, statement: str) -> None:
    assert schema.find_problem() == ""
    schema.MATCHED.clear()
    with connection.cursor() as cursor:
        cursor.execute(statement)

    response = client.get("/readyz")
    assert (response.status_code, response.content.decode()) == (503, schema.OLDER_DATABASE + "\n")
    found = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    assert schema.OLDER_DATABASE in [problem.msg for problem in found]


@pytest.mark.django_db
def test_the_tables_are_looked_at_once_in_a_process(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    schema.find_problem()
    with django_assert_max_num_queries(2):  # which migrations were applied
        assert schema.find_problem() == ""


def test_make_run_says_what_is_missing(tmp_path: Path) -> None:
    environment = {**os.environ, "VAR_DIR": str(tmp_path), "DATABASE_URL": ""}
    del environment["DJANGO_SETTINGS_MODULE"]  # the tests' own

    def run() -> tuple[int, str]:
        ended = subprocess.run(
            [sys.executable, "-m", "scripts.supervise"],
            cwd=PROJECT_DIR,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        return ended.returncode, ended.stderr.strip()

    assert run() == (
        1,
        "Static files are missing: run `python manage.py collectstatic --no-input`.",
    )

    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "staticfiles.json").write_text("{}")
    assert run() == (1, schema.MIGRATIONS_PENDING)


@pytest.mark.django_db
def test_migrate_itself_refuses_an_older_database() -> None:
    with connection.cursor() as cursor:
        cursor.execute(CHANGES[0])

    with pytest.raises(SystemCheckError, match="earlier version"):
        call_command("migrate", skip_checks=False, verbosity=0)
