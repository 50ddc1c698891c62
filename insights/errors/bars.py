"""The trend of an error as bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from jobs.models import JobErrorGroup


@dataclass(frozen=True, slots=True)
class Bar:
    """Failures from `at` on; `is_marked`: since the group is new, or returned."""

    at: datetime
    jobs: int
    is_marked: bool


def bars_of(group: JobErrorGroup, edges: Sequence[datetime], trend: Sequence[int]) -> list[Bar]:
    """One for each part of the trend, from the first to the last."""
    since = group.marked_at if group.current_mark(timezone.now()) else None
    return [
        Bar(at, jobs, since is not None and end > since)
        for at, end, jobs in zip(edges, edges[1:], trend, strict=False)
    ]
