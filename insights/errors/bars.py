"""The trend of an error as bars."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from jobs.models import GroupMark, JobErrorGroup


@dataclass(frozen=True, slots=True)
class Bar:
    """Failures from `at` on; `is_marked`: since the group is new, or returned."""

    at: datetime
    jobs: int
    is_marked: bool


def bars_of(group: JobErrorGroup, edges: Sequence[datetime], trend: Sequence[int]) -> list[Bar]:
    """One for each part of the trend, from the first to the last."""
    is_marked = any(group.has_mark(one, timezone.now()) for one in GroupMark if one)
    since = group.marked_at if is_marked else None
    return [
        Bar(at, jobs, since is not None and end > since)
        for at, end, jobs in zip(edges, edges[1:], trend, strict=False)
    ]
