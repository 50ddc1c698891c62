"""The list of files: the outputs of all accounts, in the names that the URL and the API share."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import ClassVar, Self

from django.core.cache import cache
from django.db.models import Q, QuerySet

from jobs.models import Output, Preset
from jobs.models.mirror.output import UNFINISHED, OutputQuerySet
from jobs.query.counts import COUNT_CAP, KEPT_S, Count, count_each
from jobs.query.list_filter import ListFilter
from jobs.query.paging import bounded, keyset
from jobs.query.paging.keyset import KeysetPage
from jobs.query.paging.orderings import Ordering
from jobs.query.parameters import Params
from jobs.query.search.files import find_jobs_of_files, pick_files, text_condition
from jobs.query.search.matches import are_among
from jobs.query.visibility import Visibility
from providers.core.status import OutputStatus
from providers.core.types import OutputKind

MAX_PIXELS = 65_535


@dataclass(frozen=True)
class FileFilter(ListFilter):
    """What a list of files shows, from where. Made by `parse`."""

    REPEATED: ClassVar[tuple[str, ...]] = (
        "provider",
        "account",
        "job",
        "kind",
        "status",
        "format",
        "preset",
    )
    CONDITIONS: ClassVar[tuple[str, ...]] = (
        *REPEATED,
        "min_height",
        "max_height",
        "q",
        "created_after",
        "created_before",
    )

    # None: every account; what `provider` and `account` together come to
    account_ids: frozenset[int] | None = None
    job_ids: tuple[int, ...] = ()
    kind: frozenset[OutputKind] = frozenset()
    status: frozenset[OutputStatus] = frozenset()
    format: tuple[str, ...] = ()
    presets: tuple[Preset, ...] = ()
    min_height: int | None = None
    max_height: int | None = None
    q: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None
    ordering: Ordering = Ordering("created")

    @classmethod
    def parse(cls, params: Params, visible: Visibility) -> Self:
        """Read the query string of a list of files.

        One query when accounts or providers are named, one when jobs are, one when presets are,
        else none.
        """
        read = cls.read(params, visible)
        return cls(
            account_ids=read.account_ids(),
            job_ids=read.jobs(),
            kind=read.choices("kind", OutputKind),
            status=read.choices("status", OutputStatus),
            format=read.several("format"),
            presets=read.presets(),
            min_height=read.number("min_height", 1, MAX_PIXELS),
            max_height=read.number("max_height", 1, MAX_PIXELS),
            q=read.one("q"),
            created_after=read.time("created_after"),
            created_before=read.time("created_before"),
            ordering=read.ordering(("created",)) or Ordering("created"),
            limit=read.limit(),
            cursor=read.one("cursor"),
            given=read.given,
            errors=read.errors,
            unknown=read.unknown,
            organization_id=visible.organization.pk,
        )

    def page(self, queryset: OutputQuerySet) -> KeysetPage[Output]:
        """The page of the list that `cursor` names; ValueError where it names none.

        What no index serves is searched for a limited time: see `searched_to`.
        """
        place = (self.ordering, self.limit, self.cursor, self.scope)
        if self._is_served:
            return keyset.page(self.apply(queryset), *place)
        rows = self._apply_indexed(queryset)
        condition = self._condition & text_condition(self.q) if self.q else self._condition
        return bounded.search_page(rows, condition, *place)

    @property
    def _is_served(self) -> bool:
        """Whether an index finds the files, or most of those that it finds fit."""
        if self.q:
            return self._found is not None
        is_usual = self.status <= {OutputStatus.SUCCEEDED}
        return bool(self.job_ids) or (
            is_usual and not (self.format or self.min_height or self.max_height)
        )

    def apply(self, queryset: OutputQuerySet) -> QuerySet[Output]:
        """The outputs of `queryset` that fit, not sorted."""
        found = self._apply_indexed(queryset).filter(self._condition)
        if not self.q:
            return found
        if self._found is None:
            return found.filter(text_condition(self.q))
        return pick_files(found.filter(are_among(self._found, "job")), self.q)

    @cached_property
    def _found(self) -> list[int] | None:
        """The jobs among whose files are all with the text, where an index finds them."""
        images = OutputKind.IMAGE in self.kind
        return find_jobs_of_files(self.q, self.organization_id or 0, images=images)

    @property
    def _condition(self) -> Q:
        """What is asked of each of the files that indexes find, beside their text."""
        found = _status_condition(self.status) if self.status else Q()
        if self.format:
            found &= Q(format__in=self.format)
        if self.min_height:
            found &= Q(height__gte=self.min_height)
        return found & Q(height__lte=self.max_height) if self.max_height else found

    def _apply_indexed(self, queryset: OutputQuerySet) -> QuerySet[Output]:
        """The files that fit what indexes serve of what is asked for.

        Images only where that kind is asked for: thumbnails come by the hundred, and would bury
        all else.
        """
        if self.is_unreadable:
            return queryset.none()
        found: QuerySet[Output] = (
            queryset.filter(kind__in=sorted(self.kind)) if self.kind else queryset.media()
        )
        if self.account_ids is not None:
            found = found.filter(account_id__in=sorted(self.account_ids))
        if self.job_ids:
            # by the index of the key to jobs: a job has few outputs, and they share their time
            found = found.filter(job__in=self.job_ids)
        if self.presets:
            found = found.filter(preset__in=[preset.pk for preset in self.presets])
        # Half-open, so that two windows that meet neither share nor lose a file
        if self.created_after:
            found = found.filter(sort_at__gte=self.created_after)
        if self.created_before:
            found = found.filter(sort_at__lt=self.created_before)
        return found


def shared_kind_counts(
    files: OutputQuerySet, filters: FileFilter, organization_id: int
) -> dict[str, Count]:
    """How many files each kind has, which all open pages share for a while; empty where counting
    would read more than the index of kinds: with any other filter.
    """
    if filters.errors or {name for name, _ in filters.given} & (set(filters.CONDITIONS) - {"kind"}):
        return {}
    key = f"files:{organization_id}"
    known: dict[str, Count] | None = cache.get(key)
    if known is None:
        # in the order of the index of kinds, so that it is used
        made = files.filter(status=OutputStatus.SUCCEEDED).order_by("-sort_at", "-id")
        numbers = count_each(
            {kind: made.filter(kind=kind).values("pk")[: COUNT_CAP + 1] for kind in OutputKind}
        )
        known = {
            kind: Count(min(number, COUNT_CAP), number > COUNT_CAP)
            for kind, number in numbers.items()
        }
        cache.set(key, known, KEPT_S)
    return known


def _status_condition(statuses: frozenset[OutputStatus]) -> Q:
    """The files of a gone job are not being made any more, whatever was last reported of them."""
    ended = Q(status__in=sorted(statuses - UNFINISHED))
    if not statuses & UNFINISHED:
        return ended
    return ended | Q(status__in=sorted(statuses & UNFINISHED), job__gone_at__isnull=True)
