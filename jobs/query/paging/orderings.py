"""The orders of lists: which columns each sorts by."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import F, Model
from django.db.models.functions import Coalesce

# The time that each order of jobs sorts by, and what replaces it where there is none. Written
# as the indexes of Job are, or no index serves the page.
SORT_TIMES = {
    "created": ("sort_at",),
    "started": ("sort_started_at", "sort_at"),
    "finished": ("ended_at", "sort_at"),
    "changed": ("changed_at",),
}
# What other lists are sorted by
_TIMES = {**SORT_TIMES, "received": ("received_at",), "at": ("at",), "begun": ("created_at",)}


@dataclass(frozen=True, slots=True)
class Ordering:
    """By which time rows are sorted; equal times by id, in the same direction."""

    name: str
    descending: bool = True

    @classmethod
    def parse(cls, text: str, names: Iterable[str] = SORT_TIMES) -> "Ordering":
        """Read `created`, or `-created` for newest first. Raises ValueError with a sentence."""
        name = text.removeprefix("-").removesuffix("_at")
        if name not in names:
            raise ValueError(f"Sort by {', '.join(names)}; with a minus in front, newest first.")
        return cls(name, text.startswith("-"))

    def __str__(self) -> str:
        return f"-{self.name}" if self.descending else self.name

    def turned(self) -> "Ordering":
        return Ordering(self.name, not self.descending)

    @property
    def expression(self) -> Any:
        times = _TIMES[self.name]
        return Coalesce(*times) if len(times) > 1 else F(*times)

    def time_of(self, row: Model) -> datetime:
        return next(at for name in _TIMES[self.name] if (at := getattr(row, name)))
