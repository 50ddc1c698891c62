"""The closed list of job statuses and how a provider's word becomes one of them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)


class JobStatus(StrEnum):
    """What a job is doing, in our words. `UNKNOWN` is neither active nor terminal."""

    SUBMITTING = "submitting"
    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"

    @property
    def is_active(self) -> bool:
        return self in ACTIVE

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL


ACTIVE = frozenset({JobStatus.SUBMITTING, JobStatus.QUEUED, JobStatus.RUNNING})
TERMINAL = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})


class OutputStatus(StrEnum):
    """What one output is doing. `SKIPPED` is the customer's own rule, not a fault."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"
    UNKNOWN = "unknown"


def fold(word: object) -> str:
    """Fold case, spaces, hyphens and underscores, so `No Input` and `no_input` compare equal."""
    return str(word).strip().lower().replace("_", " ").replace("-", " ").replace(" ", "")


def read_status(word: object, table: Mapping[str, S], unknown: S) -> S:
    """Look `word` up in `table` (keys already folded); an unlisted or missing word is `unknown`."""
    return table.get(fold(word), unknown) if isinstance(word, str) else unknown
