"""Whether the database has the tables that this code works with.

Until the first release each app has a single migration, which is rewritten when its models
change. A database made by an earlier version has that migration on record and other tables, so
Django alone would find nothing to do, and every page would fail.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import apps
from django.core import checks
from django.db import DEFAULT_DB_ALIAS, connection, models
from django.db.backends.base.introspection import BaseDatabaseIntrospection
from django.db.migrations.executor import MigrationExecutor

OUR_APPS = ("organizations", "jobs")

MIGRATIONS_PENDING = "The database has not been migrated: run `python manage.py migrate`."
OLDER_DATABASE = (
    "This database was made by an earlier version of Reelboard, which cannot be upgraded before "
    "the first release: start with an empty database (`make demo-reset` deletes the demo's)."
)


# Databases whose tables were seen to match. Looking takes long, and under a running process they
# do not change.
MATCHED: set[str] = set()


def find_problem() -> str:
    """A sentence that says why this code cannot use the database; empty when it can.

    Raises DatabaseError when the database does not answer.
    """
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return MIGRATIONS_PENDING
    database = str(connection.settings_dict["NAME"])
    if database not in MATCHED:
        if _is_older():
            return OLDER_DATABASE
        MATCHED.add(database)
    return ""


def check_database(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[checks.CheckMessage]:
    """The same as a system check, which `migrate` runs first. Pending migrations are its work."""
    if DEFAULT_DB_ALIAS not in (databases or []) or find_problem() != OLDER_DATABASE:
        return []
    return [checks.Error(OLDER_DATABASE, id="reelboard.E001")]


def _is_older() -> bool:
    """Whether a column, an index or a constraint of ours is missing.

    Columns that the database has beyond ours are as telling: they may be required.
    """
    with connection.cursor() as cursor:
        inspect: BaseDatabaseIntrospection = connection.introspection
        existing = set(inspect.table_names(cursor))
        for model in _our_models():
            table = model._meta.db_table
            if table not in existing:
                return True
            columns = {column.name for column in inspect.get_table_description(cursor, table)}
            if columns != {field.column for field in model._meta.local_concrete_fields}:
                return True
            named = (*model._meta.indexes, *model._meta.constraints)
            if not {item.name for item in named} <= set(inspect.get_constraints(cursor, table)):
                return True
    return False


def _our_models() -> Iterator[type[models.Model]]:
    for label in OUR_APPS:
        yield from apps.get_app_config(label).get_models(include_auto_created=True)
