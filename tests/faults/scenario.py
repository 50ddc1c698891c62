"""A scenario: something that goes wrong, and the rows of the table that it gives."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from tests.faults.stack import Stack
from tests.faults.table import Row

# Yields a row for each of the names it is given.
Run = Callable[[Stack, Sequence[str]], Iterator[Row]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """`rows` are the names of its rows, of which only some may be asked for.

    `settings` are those of its workers. `in_background`: it mostly waits, so that it runs beside
    all others. `limit_s`: it is ended after that.
    """

    rows: tuple[str, ...]
    run: Run
    settings: str = "dashboard.settings"
    in_background: bool = False
    limit_s: int = 900
