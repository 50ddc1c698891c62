"""What is wrong with a query, with the place marked in its text."""

from dataclasses import dataclass
from typing import Self

from jobs.query.language.tree import QueryError

# of what is around the place; a query may be long
SHOWN = 80


@dataclass(frozen=True, slots=True)
class MarkedError:
    """`marked` is what is wrong, between what is shown of the text around it."""

    before: str
    marked: str
    after: str
    message: str
    suggestion: str
    # whether the list is that of the last query that could be read
    keeps_list: bool = False

    @classmethod
    def of(cls, error: QueryError, text: str, *, keeps_list: bool = False) -> Self:
        before, marked, after = (
            text[: error.start],
            text[error.start : error.end],
            text[error.end :],
        )
        return cls(
            before if len(before) <= SHOWN else f"…{before[-SHOWN:]}",
            _cut(marked),
            _cut(after),
            error.message,
            error.suggestion,
            keeps_list,
        )


def _cut(text: str) -> str:
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
