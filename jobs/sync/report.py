"""What one pass did, and how it shows that it goes on."""

from collections.abc import Callable
from dataclasses import dataclass

from jobs.mirror.batch import Applied
from jobs.models import ProviderAccount

# Called after each page of a list, with how many jobs have been read so far.
Progress = Callable[[ProviderAccount, int], None]


@dataclass
class Report:
    """What one pass did, as `manage.py sync --json` prints it."""

    id: str
    ok: bool = True
    error: str | None = None
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    gone: int = 0
    requests: int = 0
    duration_ms: int = 0

    def count(self, applied: Applied) -> None:
        self.created += len(applied.created)
        self.changed += len(applied.changed)
        self.unchanged += len(applied.unchanged)
