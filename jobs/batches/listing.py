"""Pages of the list of batches, newest first."""

from dataclasses import dataclass
from typing import ClassVar, Self

from django.db.models import QuerySet

from jobs.models import Batch
from jobs.query.list_filter import ListFilter
from jobs.query.paging import keyset
from jobs.query.paging.keyset import KeysetPage
from jobs.query.paging.orderings import Ordering
from jobs.query.parameters import Params
from jobs.query.visibility import Visibility

NEWEST_FIRST = Ordering("begun")


@dataclass(frozen=True)
class BatchFilter(ListFilter):
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

    def page(self, batches: QuerySet[Batch]) -> KeysetPage[Batch]:
        """The page that `cursor` names; ValueError where it names none. One query."""
        rows = batches.defer("request")
        return keyset.page(rows, NEWEST_FIRST, self.limit, self.cursor, self.scope)
