"""The jobs that a bulk action is for, read in chunks, also long after they were asked for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any, NamedTuple, Self, cast

from django.db.models import Case, CharField, Value

from jobs.bulk.actions.base import Action
from jobs.bulk.left_out import AccountFacts
from jobs.models import BulkAction
from jobs.models.mirror.job import JobQuerySet
from jobs.query.jobs import JobFilter
from jobs.query.paging.orderings import SORT_TIMES
from jobs.query.search.matches import are_among
from jobs.query.visibility import Visibility
from organizations.profile.time_zones import zone_named


class FoundJob(NamedTuple):
    """`refusal`: why the action leaves it out; empty where it does not."""

    pk: int
    account_id: int
    refusal: str


@dataclass(frozen=True, slots=True)
class Chunk:
    """`next` is the cursor of the next chunk; None at the end."""

    jobs: Sequence[FoundJob]
    next: str | None


@dataclass(frozen=True)
class Selection:
    """The jobs of a query, or with some ids, as at the time `at`.

    Relative times count back from then, and jobs with an id beyond `last_job_id` came later.
    `zone` is that of dates; None for the organization's.
    """

    visible: Visibility
    query: str
    job_ids: tuple[int, ...] | None
    at: datetime
    last_job_id: int
    zone: tzinfo | None = None

    @classmethod
    def of(cls, bulk: BulkAction) -> Self:
        """The jobs of a bulk action that was stored with its organization."""
        limited_to = None if bulk.account_ids is None else frozenset(bulk.account_ids)
        return cls(
            Visibility(bulk.organization, limited_to, bulk.member_id),
            bulk.query,
            None if bulk.job_ids is None else tuple(bulk.job_ids),
            bulk.created_at,
            bulk.last_job_id,
            zone_named(bulk.time_zone) if bulk.time_zone else None,
        )

    @cached_property
    def filters(self) -> JobFilter:
        return JobFilter.parse({"q": [self.query]}, self.visible, self.zone, self.at)

    @property
    def error(self) -> str:
        """Why the query cannot be read; empty where it can."""
        return "" if self.job_ids is not None else " ".join(self.filters.errors.values())

    @cached_property
    def accounts(self) -> list[AccountFacts]:
        rows = self.visible.accounts().order_by("pk").values_list("pk", "provider", "enabled")
        return [AccountFacts(*row) for row in rows]

    def find_unknown(self) -> list[int]:
        """Which of `job_ids` are none of the jobs that are visible. One query."""
        ids = self.job_ids or ()
        known = set(self.visible.jobs().filter(are_among(ids)).values_list("pk", flat=True))
        return [pk for pk in ids if pk not in known]

    def read(self, action: Action, limit: int, cursor: str = "") -> Chunk:
        """The next jobs, up to `limit`, in the order of the list, those left out included.

        What no index serves is searched for a limited time: then there may be fewer, with more to
        come. Raises ValueError for a cursor that is not valid any more.
        """
        jobs = self.visible.jobs().filter(pk__lte=self.last_job_id)
        # of the times, which take longest to read, those that the list is in the order of
        times = SORT_TIMES[self.filters.ordering.name] if self.job_ids is None else ()
        reasons = action.refuse(self.accounts)
        refusal = Case(*reasons, default=Value(""), output_field=CharField(max_length=40))
        # to make a model of each row would take four times as long as all else
        found = jobs.annotate(refusal=refusal).values_list(
            "pk", "account_id", "refusal", *times, named=True
        )
        rows, following = self._page(cast(JobQuerySet, found), limit, cursor)
        refusals = action.refuse_more({row.pk: row.refusal for row in rows})
        return Chunk(
            [FoundJob(row.pk, row.account_id, refusals[row.pk]) for row in rows], following
        )

    def _page(self, jobs: JobQuerySet, limit: int, cursor: str) -> tuple[Sequence[Any], str | None]:
        if self.job_ids is not None:
            # few enough for one chunk
            return list(jobs.filter(are_among(self.job_ids)).order_by("-pk")), None
        page = replace(self.filters, limit=limit, cursor=cursor).page(jobs)
        return page.rows, page.next
