"""The indexes that find jobs by text: of trigrams, on both databases, kept by the database.

They are put in place after every `migrate`: no index of Django's is like them, and on SQLite Django
changes a table by making it anew, which silently drops its triggers.
"""

from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.utils import OperationalError

TABLE = "jobs_jobsearch"
# of SQLite: an index of the text by trigrams, and the trigrams that are in it
FTS_TABLE = f"{TABLE}_fts"
FTS_TERMS = f"{TABLE}_terms"

MISSING = (
    "The index of the search is missing: run `.venv/bin/python manage.py migrate`, which makes it."
)
NO_FTS = "The search needs SQLite 3.34 or newer with FTS5: use another build of Python or SQLite."

_POSTGRESQL = (
    f"create index if not exists {TABLE}_trigrams on {TABLE} using gin (trigrams) "
    # what waits to be sorted into the index is read by each search
    "with (gin_pending_list_limit = 1024)",
    # Statistics of the single trigrams mislead the planner, which takes them for independent and
    # for alike in all organizations. Without, it expects few rows, and takes the index.
    f"alter table {TABLE} alter column trigrams set statistics 0",
)
_FORGET = (
    f"insert into {FTS_TABLE} ({FTS_TABLE}, rowid, text) values ('delete', old.job_id, old.text)"
)
_LEARN = f"insert into {FTS_TABLE} (rowid, text) values (new.job_id, new.text)"
_SQLITE = (
    # Places within a text are not kept: the text itself is looked at as well.
    f"create virtual table if not exists {FTS_TABLE} using fts5 (text, content='{TABLE}', "
    "content_rowid='job_id', detail=none, tokenize='trigram case_sensitive 1')",
    f"create virtual table if not exists {FTS_TERMS} using fts5vocab ('{FTS_TABLE}', 'row')",
    f"create trigger if not exists {TABLE}_insert after insert on {TABLE} begin {_LEARN}; end",
    f"create trigger if not exists {TABLE}_delete after delete on {TABLE} begin {_FORGET}; end",
    f"create trigger if not exists {TABLE}_update after update on {TABLE} "
    f"begin {_FORGET}; {_LEARN}; end",
    f"insert into {FTS_TABLE} ({FTS_TABLE}) values ('rebuild')",
)
_LISTING = {
    "postgresql": f"select indexname from pg_indexes where tablename = '{TABLE}' "
    "and schemaname = current_schema()",
    "sqlite": f"select name from sqlite_master where tbl_name in ('{TABLE}', '{FTS_TABLE}')",
}
_NAMES = {
    "postgresql": {f"{TABLE}_trigrams"},
    "sqlite": {FTS_TABLE, *(f"{TABLE}_{event}" for event in ("insert", "delete", "update"))},
}


def install(using: str = DEFAULT_DB_ALIAS, **kwargs: Any) -> None:
    """Receives `post_migrate`. Does nothing while the table is not there yet, or all is."""
    if not are_missing(using):
        return
    connection = connections[using]
    statements = _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE
    try:
        with transaction.atomic(using=using), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
    except OperationalError as error:
        if "no such" in str(error):  # module, or tokenizer
            raise OperationalError(NO_FTS) from error
        raise


def are_missing(using: str = DEFAULT_DB_ALIAS) -> bool:
    """Whether the table is there without its index."""
    connection = connections[using]
    with connection.cursor() as cursor:
        if TABLE not in connection.introspection.table_names(cursor):
            return False
        cursor.execute(_LISTING[connection.vendor])
        return not _NAMES[connection.vendor] <= {name for (name,) in cursor.fetchall()}
