"""How many rows of which tables a piece of work writes."""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

_WRITE = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "(\w+)"')


@contextmanager
def written_rows() -> Iterator[Counter[str]]:
    """Rows that were inserted, updated or deleted within it, by table."""
    rows: Counter[str] = Counter()

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        result = run(sql, params, many, context)
        if found := _WRITE.match(sql):
            rows[found[1]] += context["cursor"].rowcount
        return result

    with connection.execute_wrapper(execute):
        yield rows
