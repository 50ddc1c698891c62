"""Triggers that keep audit entries as they were written, whoever asks: ORM, admin or SQL prompt.

They are put in place after every `migrate`, because on SQLite Django changes a table by making it
anew, which silently drops its triggers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

TABLE = "organizations_auditentry"
REFUSAL = "Audit entries are never changed or deleted."
MISSING = (
    "The audit log is not protected: run `.venv/bin/python manage.py migrate`, which puts its "
    "triggers back."
)

# Set for one transaction alone: a setting of PostgreSQL, or a row that SQLite shows to no other.
_FLAG = "reelboard.audit_maintenance"
_FLAG_TABLE = "audit_maintenance"

_POSTGRESQL = (
    f"""
    create or replace function refuse_audit_change() returns trigger language plpgsql as $$
    begin
        if tg_op <> 'UPDATE' and current_setting('{_FLAG}', true) = 'on' then
            return old;
        end if;
        raise exception '{REFUSAL}' using errcode = 'integrity_constraint_violation';
    end $$
    """,
    f"drop trigger if exists audit_rows on {TABLE}",
    f"create trigger audit_rows before update or delete on {TABLE} "
    "for each row execute function refuse_audit_change()",
    f"drop trigger if exists audit_truncate on {TABLE}",
    f"create trigger audit_truncate before truncate on {TABLE} "
    "for each statement execute function refuse_audit_change()",
)
_SQLITE = (
    f"create table if not exists {_FLAG_TABLE} (is_on integer)",
    f"create trigger if not exists audit_update before update on {TABLE} "
    f"begin select raise(abort, '{REFUSAL}'); end",
    f"create trigger if not exists audit_delete before delete on {TABLE} "
    f"when not exists (select 1 from {_FLAG_TABLE}) "
    f"begin select raise(abort, '{REFUSAL}'); end",
)
_NAMES = {
    "postgresql": {"audit_rows", "audit_truncate"},
    "sqlite": {"audit_update", "audit_delete"},
}
_LISTING = {
    "postgresql": f"select tgname from pg_trigger "
    f"where tgrelid = to_regclass('{TABLE}') and tgenabled <> 'D'",
    "sqlite": f"select name from sqlite_master where type = 'trigger' and tbl_name = '{TABLE}'",
}


def install(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Receives `post_migrate`. Does nothing while the table is not there yet."""
    connection = connections[using]
    statements = _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE
    with transaction.atomic(using=using), connection.cursor() as cursor:
        if TABLE in connection.introspection.table_names(cursor):
            for statement in statements:
                cursor.execute(statement)


def are_missing(using: str = DEFAULT_DB_ALIAS) -> bool:
    """Whether the audit table is there without all of its triggers."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if TABLE not in connection.introspection.table_names(cursor):
            return False
        cursor.execute(_LISTING[connection.vendor])
        return not _NAMES[connection.vendor] <= {name for (name,) in cursor.fetchall()}


@contextmanager
def unprotected(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Within it, and in this transaction alone, audit entries may be deleted.

    Used through `organizations.audit.deletion`, which leaves an entry, and by the flush of tests.
    """
    connection = connections[using]
    with transaction.atomic(using=using):
        _set_flag(connection, is_on=True)
        yield
        _set_flag(connection, is_on=False)


def _set_flag(connection: BaseDatabaseWrapper, *, is_on: bool) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("select set_config(%s, %s, true)", [_FLAG, "on" if is_on else "off"])
        elif is_on:
            cursor.execute(f"insert into {_FLAG_TABLE} values (1)")
        else:
            cursor.execute(f"delete from {_FLAG_TABLE}")
