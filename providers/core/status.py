"""The closed list of job statuses, and how a provider's status becomes one of them."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeVar

S = TypeVar("S", bound=StrEnum)


class JobStatus(StrEnum):
    """What a job is doing, whoever runs it. `UNKNOWN` is neither active nor terminal."""

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


def normalize_status(label: object) -> str:
    """Drop case, spaces, hyphens and underscores: `No Input` and `no_input` are the same."""
    return str(label).strip().lower().replace("_", " ").replace("-", " ").replace(" ", "")


def read_status(label: object, table: Mapping[str, S], unknown: S) -> S:
    """Find `label` in `table`, whose keys are normalized; an unlisted one is `unknown`."""
    return table.get(normalize_status(label), unknown) if isinstance(label, str) else unknown
