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
from jobs.query.paging.keyset import KeysetPage, Place
from jobs.query.paging.orderings import Ordering
from jobs.query.parameters import Params
from jobs.query.search.files import (
    MAX_READ,
    TooManyError,
    find_jobs_of_files,
    pick_files,
    text_condition,
)
from jobs.query.search.matches import MAX_FOUND, are_among
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
        if self.q and self._found is not None:
            return keyset.page(self._pick(queryset, self._found), *place)
        rows, condition = self._apply_indexed(queryset), self._condition
        if not self.q and (self.job_ids or not self._rare):
            return keyset.page(rows.filter(condition), *place)
        if self._few is not None:
            condition &= are_among(self._few)
        if self.q:
            condition &= self._text_condition
        if self._few is not None:
            return keyset.page(rows.filter(condition), *place)
        return bounded.search_page(rows, condition, *place)

    def _pick(self, queryset: OutputQuerySet, found: list[int]) -> QuerySet[Output]:
        """What the page has of the files with the text, all of which are of the jobs `found`, and
        one more."""
        files = self._apply_indexed(queryset).filter(self._condition, are_among(found, "job"))
        with_text = files.filter(self._text_condition)
        if len(found) > MAX_READ:  # and so many files, or more
            return with_text
        place = Place.read(self.cursor, self.ordering, self.scope) if self.cursor else None
        is_forward = place is None or place.is_next
        ordering = self.ordering if is_forward else self.ordering.turned()
        rows, limit = keyset.sort(files, ordering, place), self.limit + 1
        try:
            picked = pick_files(rows, self.q, ordering, limit)
            if not picked and not is_forward:
                # all that was above is gone: the top is the page before
                picked = pick_files(files, self.q, self.ordering, limit)
        except TooManyError:
            return with_text
        return queryset.filter(are_among(picked))

    @cached_property
    def _few(self) -> list[int] | None:
        """The files among which are all that fit, where one of `_rare` finds few; a query for each.

        Its indexes leave images out: thumbnails are many, and of few sizes.
        """
        if OutputKind.IMAGE in self.kind:
            return None
        for condition in self._rare:
            found = Output.objects.filter(condition, organization=self.organization_id).media()
            few = list(found.values_list("pk", flat=True)[: MAX_FOUND + 1])
            if len(few) <= MAX_FOUND:
                return few
        return None

    @property
    def _rare(self) -> list[Q]:
        """What is asked for that few files may have."""
        asked = []
        if not self.status <= {OutputStatus.SUCCEEDED}:
            asked.append(Q(status__in=sorted(self.status)))
        if self.format:
            asked.append(Q(format__in=self.format))
        if self.min_height or self.max_height:
            asked.append(self._heights)
        return asked

    @cached_property
    def _found(self) -> list[int] | None:
        """The jobs among whose files are all with the text, where an index finds them."""
        images = OutputKind.IMAGE in self.kind
        return find_jobs_of_files(self.q, self.organization_id or 0, images=images)

    @property
    def _text_condition(self) -> Q:
        return text_condition(self.q, self.organization_id or 0)

    @property
    def _condition(self) -> Q:
        """What is asked of each of the files that indexes find, beside their text."""
        found = _status_condition(self.status) if self.status else Q()
        if self.format:
            found &= Q(format__in=self.format)
        return found & self._heights

    @property
    def _heights(self) -> Q:
        found = Q(height__gte=self.min_height) if self.min_height else Q()
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
