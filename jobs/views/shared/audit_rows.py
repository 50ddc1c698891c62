"""Entries of the audit log as pages show them: on their own page, and on that of a job."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from jobs.display.settings_diff import Change, changes
from organizations.access import Access
from organizations.models import AuditEntry

# Pages of what an entry may be about, by its kind
PAGES = {
    "job": "jobs:detail",
    "provideraccount": "jobs:account_edit",
    "bulkaction": "jobs:bulk",
    "retryrule": "jobs:rule",
    "batch": "jobs:batch",
    "joberrorgroup": "insights:error",
}


# Larger actions, by what their ids begin with: `bulk-318`
LARGER = {"bulk": "bulk action", "retryrule": "retry rule"}


@dataclass(frozen=True, slots=True)
class AuditRow:
    entry: AuditEntry
    changes: list[Change]
    details: list[Change]
    url: str

    @property
    def larger(self) -> str:
        """What the entry is a part of, as a person calls it; empty for an action of its own."""
        return LARGER.get(self.entry.action_id.partition("-")[0], "")


def list_rows(access: Access, entries: Iterable[AuditEntry]) -> list[AuditRow]:
    """Each entry with what was changed, and the page of what it is about."""
    return [
        AuditRow(
            entry,
            changes(entry.before, entry.after),
            changes({}, entry.details),
            _url(access, entry),
        )
        for entry in entries
    ]


def _url(access: Access, entry: AuditEntry) -> str:
    name = PAGES.get(entry.target_kind)
    return reverse(name, args=[access.organization.slug, entry.target_id]) if name else ""
