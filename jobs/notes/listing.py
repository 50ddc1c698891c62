"""The notes about one thing as a list, a page at a time."""

from dataclasses import dataclass
from typing import ClassVar, Self

from jobs.models import Job, JobErrorGroup, Note
from jobs.query.list_filter import ListFilter
from jobs.query.paging.cursors import NOT_VALID, seal, unseal
from jobs.query.parameters import Params
from jobs.query.references import read_id
from jobs.query.visibility import Visibility


@dataclass(frozen=True)
class NoteFilter(ListFilter):
    """Which page of the notes is listed. Made by `parse`."""

    OTHERS: ClassVar[tuple[str, ...]] = ("limit", "cursor")

    @classmethod
    def parse(cls, params: Params, visible: Visibility) -> Self:
        """Read the query string; no query."""
        read = cls.read(params, visible)
        return cls(
            limit=read.limit(),
            cursor=read.one("cursor"),
            given=read.given,
            errors=read.errors,
            unknown=read.unknown,
            organization_id=visible.organization.pk,
        )

    def page(self, subject: Job | JobErrorGroup) -> tuple[list[Note], str | None]:
        """The notes, newest first, and the cursor of the next page; None on the last.

        Raises ValueError with a sentence for a cursor of another list.
        """
        scope = f"{self.scope} {subject._meta.model_name} {subject.pk}"
        found = Note.objects.about(subject).with_people().order_by("-pk")
        if self.cursor:
            before = read_id(unseal(self.cursor, scope))
            if before is None:
                raise ValueError(NOT_VALID)
            found = found.filter(pk__lt=before)
        rows = list(found[: self.limit + 1])
        is_last = len(rows) <= self.limit
        return rows[: self.limit], None if is_last else seal(str(rows[self.limit - 1].pk), scope)
