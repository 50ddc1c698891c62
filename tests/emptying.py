"""How the database is emptied after a test with real transactions."""

from functools import cache

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TransactionTestCase

from organizations.audit.triggers import unprotected


def empty_database(case: TransactionTestCase) -> None:
    """Delete all rows but those that `migrate` writes.

    Django's flush takes longer: it empties all tables, each some files on PostgreSQL, and then has
    the receivers of `post_migrate` make content types, permissions, triggers and indexes again.
    """
    # The foreign keys are checked at the end, so that the order of the tables does not matter.
    with unprotected(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # on SQLite, no other writes meanwhile
            cursor.execute(f"lock table {', '.join(_tables())} in exclusive mode")
        cursor.execute(
            " union all ".join(
                f"select '{table}' where exists (select 1 from {table})" for table in _tables()
            )
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"delete from {table}")


@cache
def _tables() -> list[str]:
    return sorted(
        model._meta.db_table
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and model not in (ContentType, Permission)
    )
