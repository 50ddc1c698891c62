"""A database that an earlier version made is recognized, and refused with a sentence."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import get_finders
from django.core import checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import connection
from django.test import Client

from dashboard import schema_version
from dashboard.static_files import StaticFiles
from scripts.supervise import PROJECT_DIR

# What an earlier version leaves: the digest of another file, or, before there were any, none.
OLDER = (
    "UPDATE migration_digest SET digest = 'of another file' WHERE migration = 'jobs.0001_initial'",
    "DELETE FROM migration_digest WHERE migration = 'organizations.0001_initial'",
    "DROP TABLE migration_digest",
)


def execute(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)


@pytest.mark.django_db
@pytest.mark.parametrize("statement", OLDER)
def test_an_older_database_is_refused(client: Client, statement: str) -> None:
    assert schema_version.find_problem() == ""
    execute(statement)

    response = client.get("/readyz")
    assert (response.status_code, response.content.decode()) == (
        503,
        schema_version.OLDER_DATABASE + "\n",
    )
    found = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    assert schema_version.OLDER_DATABASE in [problem.msg for problem in found]
    with pytest.raises(SystemCheckError, match="from an older version: run make demo-reset"):
        call_command("migrate", skip_checks=False, verbosity=0)


@pytest.mark.django_db
def test_migrate_does_not_make_an_older_database_pass_for_a_new_one() -> None:
    execute(OLDER[0])
    call_command("migrate", verbosity=0)  # without the checks, as code calls it
    assert schema_version.find_problem() == schema_version.OLDER_DATABASE


@pytest.mark.django_db
def test_a_database_with_pending_migrations_is_not_an_older_one(client: Client) -> None:
    """As after a first `migrate` that was interrupted."""
    execute("DELETE FROM django_migrations WHERE app = 'jobs'")

    response = client.get("/readyz")
    assert response.content.decode() == schema_version.MIGRATIONS_PENDING + "\n"


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

    collect = "Static files are missing: run `.venv/bin/python manage.py collectstatic --no-input`."
    assert run() == (1, collect)

    manifest = tmp_path / "static" / "staticfiles.json"
    manifest.parent.mkdir()
    # as collectstatic finds them
    patterns = StaticFiles.ignore_patterns
    files = {name: name for finder in get_finders() for name, _ in finder.list(patterns)}
    manifest.write_text(json.dumps({"paths": files}))
    assert run() == (1, schema_version.MIGRATIONS_PENDING)

    files.popitem()  # as after an upgrade that brings one more
    manifest.write_text(json.dumps({"paths": files}))
    assert run() == (1, collect)
