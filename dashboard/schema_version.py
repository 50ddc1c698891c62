"""Whether the database was made by the migrations of this code.

Until the first release each app has a single migration, which is rewritten when its models
change. Django knows migrations by name alone: to it, a database made by an earlier version has
nothing to migrate, and every page would fail. So `migrate` also stores a digest of each of our
migration files, in a table of its own.
"""

import hashlib
import inspect
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from django.apps.registry import Apps
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor

from jobs.models.search import indexes
from organizations import reencryption
from organizations.audit import triggers

OUR_APPS = ("organizations", "jobs", "insights")

MIGRATIONS_PENDING = "The database has not been migrated: run `.venv/bin/python manage.py migrate`."
OLDER_DATABASE = (
    "This database is from an older version: run make demo-reset, or, if it is not the demo's, "
    "start with an empty database. Upgrades begin with the first release."
)
OLD_KEYS = (
    "Something stored ({}) needs an older key of CREDENTIALS_KEYS: run `.venv/bin/python manage.py "
    "reencrypt`, then remove the older key."
)


class MigrationDigest(models.Model):
    """Outside of Django's registry and so without a migration itself, like `django_migrations`."""

    migration = models.CharField(max_length=200, primary_key=True)  # app.name
    digest = models.CharField(max_length=64)

    objects: ClassVar[models.Manager["MigrationDigest"]] = models.Manager()

    class Meta:
        apps = Apps()
        app_label = "dashboard"
        db_table = "migration_digest"

    def __str__(self) -> str:
        return self.migration


def find_problem(database: str = DEFAULT_DB_ALIAS) -> str:
    """A sentence that says why this code cannot use the database; empty when it can.

    Raises DatabaseError when the database does not answer.
    """
    executor = MigrationExecutor(connections[database])
    graph, applied = executor.loader.graph, executor.loader.applied_migrations
    stored = _stored_digests(connections[database])
    for migration in _ours(graph.nodes[key] for key in applied if key in graph.nodes):
        if stored.get(str(migration)) != _digest(migration):
            return OLDER_DATABASE
    if executor.migration_plan(graph.leaf_nodes()):
        return MIGRATIONS_PENDING
    if triggers.are_missing(database):
        return triggers.MISSING
    return indexes.MISSING if indexes.are_missing(database) else ""


def find_old_keys() -> str:
    """A sentence where something that is stored needs an older key; empty otherwise."""
    column = reencryption.find_remaining()
    return OLD_KEYS.format(column) if column else ""


def check_database(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """The same as a system check. `migrate` runs it first, and repairs all but the oldest."""
    ids = {OLDER_DATABASE: "reelboard.E001"}
    if sys.argv[1:2] != ["migrate"]:
        ids |= {triggers.MISSING: "reelboard.E002", indexes.MISSING: "reelboard.E003"}
    problems = map(find_problem, databases or [])
    found: list[checks.CheckMessage] = [
        checks.Error(problem, id=ids[problem]) for problem in problems if problem in ids
    ]
    if databases and not any(map(find_problem, databases)) and (note := find_old_keys()):
        found.append(checks.Warning(note, id="reelboard.W001"))
    return found


def store_digests(using: str, plan: Iterable[tuple[Migration, bool]], **kwargs: Any) -> None:
    """Receives `pre_migrate`: a `migrate` that is interrupted applies the same files next time."""
    connection = connections[using]
    if not _has_table(connection):
        with connection.schema_editor() as editor:
            editor.create_model(MigrationDigest)
    for migration in _ours(migration for migration, _ in plan):
        MigrationDigest.objects.using(using).update_or_create(
            migration=str(migration), defaults={"digest": _digest(migration)}
        )


def _stored_digests(connection: BaseDatabaseWrapper) -> dict[str, str]:
    if not _has_table(connection):
        return {}
    rows = MigrationDigest.objects.using(connection.alias)
    return dict(rows.values_list("migration", "digest"))


def _has_table(connection: BaseDatabaseWrapper) -> bool:
    with connection.cursor() as cursor:
        return MigrationDigest._meta.db_table in connection.introspection.table_names(cursor)


def _ours(migrations: Iterable[Migration]) -> list[Migration]:
    return [migration for migration in migrations if migration.app_label in OUR_APPS]


def _digest(migration: Migration) -> str:
    return hashlib.sha256(Path(inspect.getfile(type(migration))).read_bytes()).hexdigest()
