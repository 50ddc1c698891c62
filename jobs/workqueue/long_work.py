"""What starting, stopping and resuming bulk actions and batches have in common."""

from collections.abc import Mapping

from jobs.models.work import LongWork
from organizations.audit.origin import part_of
from organizations.models import Actor, ApiToken, AuditEntry, User


class NotStarted(Exception):
    """`fields` say why, by the name of what is wrong."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(" ".join(fields.values()))
        self.fields = fields


class WorkEnded(Exception):
    """There is nothing to stop, or nothing left to do."""


class KeyOfDeletedWork(Exception):
    """It was started under this key, and has been deleted."""


def record(
    work: LongWork,
    action: str,
    actor: Actor | None,
    details: Mapping[str, object] | None = None,
    reason: str = "",
) -> None:
    """An entry of the audit log that is tied to those of its jobs."""
    with part_of(work.audit_id):
        AuditEntry.record(
            work.organization,
            action,
            work,
            actor=actor if isinstance(actor, User) else None,
            token=actor if isinstance(actor, ApiToken) else None,
            details=details,
            reason=reason,
        )
