"""Entries of the audit log as pages show them: on their own page, and on that of a job."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.urls import reverse

from jobs.display.settings_diff import Change, changes
from jobs.query.references import read_id
from organizations.access import Access
from organizations.models import AuditEntry

# Pages of what an entry may be about, by its kind
PAGES = {
    "job": "jobs:detail",
    "provideraccount": "jobs:account_edit",
    "bulkaction": "jobs:bulk",
    "retryrule": "jobs:rule",
    "batch": "jobs:batch",
    "requesttemplate": "jobs:template",
    "joberrorgroup": "insights:error",
}


@dataclass(frozen=True, slots=True)
class Larger:
    """What has many entries: its name for people, and the kind of its own entries."""

    label: str
    kind: str


# By what their ids begin with: `bulk-318`
LARGER = {
    "bulk": Larger("bulk action", "bulkaction"),
    "batch": Larger("batch", "batch"),
    "retryrule": Larger("retry rule", "retryrule"),
    "template": Larger("template", "requesttemplate"),
}


@dataclass(frozen=True, slots=True)
class AuditRow:
    entry: AuditEntry
    changes: list[Change]
    details: list[Change]
    url: str

    @property
    def larger_id(self) -> str:
        """The id by which all entries are found with this one, as far as they are one whole.

        That of the action that it is a part of, or of what it is about; else its own.
        """
        entry = self.entry
        if entry.action_id.partition("-")[0] in LARGER:
            return entry.action_id
        own = (name for name, larger in LARGER.items() if larger.kind == entry.target_kind)
        return next((f"{name}-{entry.target_id}" for name in own), entry.action_id)

    @property
    def larger(self) -> str:
        """What the entry is a part of, as a person calls it; empty for an action of its own."""
        found = LARGER.get(self.larger_id.partition("-")[0])
        return found.label if found else ""


def read_larger(action_id: str) -> tuple[Larger, int] | None:
    """What an id such as `batch-7` names, with its own id; None for that of a request."""
    name, _, number = action_id.partition("-")
    larger, pk = LARGER.get(name), read_id(number)
    return (larger, pk) if larger and pk is not None else None


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
    """Empty where there is no page, or none any more."""
    name = PAGES.get(entry.target_kind)
    if name is None or entry.action.endswith(".deleted"):
        return ""
    return reverse(name, args=[access.organization.slug, entry.target_id])
