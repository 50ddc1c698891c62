"""The one way in which audit entries are deleted: it leaves an entry."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction

from organizations.audit.triggers import unprotected
from organizations.models import AuditEntry, Organization, User


@contextmanager
def allow_deletion(
    action: str,
    target: object,
    *,
    organization: Organization | None = None,
    actor: User | None = None,
    reason: str = "",
) -> Iterator[dict[str, Any]]:
    """Within it, and in this transaction alone, audit entries may be deleted.

    For retention, and for the deletion of an organization, whose entry is of the board itself. The
    entry is `action` on `target`, with the details put into what this yields. Where anything fails,
    nothing is deleted and there is no entry.
    """
    details: dict[str, Any] = {}
    with transaction.atomic():
        with unprotected():
            yield details
        AuditEntry.record(organization, action, target, actor=actor, details=details, reason=reason)
