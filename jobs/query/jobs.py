"""The filters of a job list, in the names that the URL and the API share."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from django.db.models import Q, QuerySet

from jobs.models import Job, Output, Preset
from jobs.query.list_filter import ListFilter
from jobs.query.orderings import SORT_TIMES, Ordering
from jobs.query.parameters import Parameters, Params
from jobs.query.references import read_id
from organizations.models import Organization
from providers.core.errors import CLASSES
from providers.core.status import ACTIVE, JobStatus

REPEATED = ("status", "provider", "account", "error", "batch", "preset")
FLAGS = ("gone", "unresolved")
TIMES = (
    "created_after",
    "created_before",
    "finished_after",
    "finished_before",
    "changed_after",
)

_ENDED = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})


@dataclass(frozen=True)
class JobFilter(ListFilter):
    """What a list of jobs shows, in which order, from where. Made by `parse`."""

    CONDITIONS: ClassVar[tuple[str, ...]] = (*REPEATED, *FLAGS, "q", *TIMES)

    status: frozenset[JobStatus] = frozenset()
    # None: every account; what `provider` and `account` together come to
    account_ids: frozenset[int] | None = None
    error: tuple[str, ...] = ()
    batch: tuple[str, ...] = ()
    presets: tuple[Preset, ...] = ()
    # None: gone jobs are left out of the active statuses alone
    gone: bool | None = None
    unresolved: bool | None = None
    q: str = ""
    created_after: datetime | None = None
    created_before: datetime | None = None
    finished_after: datetime | None = None
    finished_before: datetime | None = None
    changed_after: datetime | None = None
    sort: Ordering | None = None

    @classmethod
    def parse(cls, params: Params, organization: Organization) -> "JobFilter":
        """Read the query string of a list of `organization`'s jobs.

        One query when accounts or providers are named, one when presets are, else none.
        """
        names = (*cls.CONDITIONS, "sort", "limit", "cursor")
        read = Parameters(params, organization, names, REPEATED)
        return cls(
            status=read.choices("status", JobStatus),
            account_ids=read.account_ids(),
            error=_read_errors(read),
            batch=read.several("batch"),
            presets=read.presets(),
            gone=read.flag("gone"),
            unresolved=read.flag("unresolved"),
            q=read.one("q"),
            created_after=read.time("created_after"),
            created_before=read.time("created_before"),
            finished_after=read.time("finished_after"),
            finished_before=read.time("finished_before"),
            changed_after=read.time("changed_after"),
            sort=read.ordering(SORT_TIMES),
            limit=read.limit(),
            cursor=read.one("cursor"),
            given=read.given,
            errors=read.errors,
        )

    def apply(self, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """The jobs of `queryset` that fit, not sorted."""
        queryset = self.apply_beside_tab(queryset)
        if self.status:
            queryset = queryset.filter(self._status_condition())
        if self.unresolved:
            queryset = queryset.filter(status=JobStatus.FAILED, is_unresolved=True)
        elif self.unresolved is not None:
            queryset = queryset.filter(is_unresolved=False)
        return queryset

    def apply_beside_tab(self, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """The jobs that fit all that is asked for but what the tabs choose: status, unresolved."""
        if self.is_unreadable:
            return queryset.none()
        if self.gone is not None:
            queryset = queryset.filter(gone_at__isnull=not self.gone)
        if self.account_ids is not None:
            queryset = queryset.filter(account_id__in=sorted(self.account_ids))
        if self.error:
            queryset = queryset.filter(_any(map(_error_condition, self.error)))
        if self.batch:
            queryset = queryset.filter(batch__in=self.batch)
        if self.presets:
            used = Output.objects.filter(preset__in=[preset.pk for preset in self.presets])
            queryset = queryset.filter(pk__in=used.values("job_id"))
        if self.q:
            queryset = queryset.filter(_text_condition(self.q))
        # Half-open, so that two windows that meet neither share nor lose a job
        if self.created_after:
            queryset = queryset.filter(sort_at__gte=self.created_after)
        if self.created_before:
            queryset = queryset.filter(sort_at__lt=self.created_before)
        if self.finished_after or self.finished_before:
            queryset = self._filter_ended(queryset)
        if self.changed_after:
            queryset = queryset.filter(changed_at__gte=self.changed_after)
        return queryset

    def _filter_ended(self, queryset: QuerySet[Job]) -> QuerySet[Job]:
        # the same again on what the index is made of, which gives it its range
        queryset = queryset.alias(end=Ordering("finished").expression)
        if self.finished_after:
            queryset = queryset.filter(
                ended_at__gte=self.finished_after, end__gte=self.finished_after
            )
        if self.finished_before:
            queryset = queryset.filter(
                ended_at__lt=self.finished_before, end__lt=self.finished_before
            )
        return queryset

    def _status_condition(self) -> Q:
        if self.gone or not self.status & ACTIVE:
            return Q(status__in=sorted(self.status))
        active = Q(status__in=sorted(self.status & ACTIVE), is_active=True)
        others = sorted(self.status - ACTIVE)
        return active | Q(status__in=others) if others else active

    @property
    def tab(self) -> frozenset[JobStatus]:
        """The statuses that the list is of; empty for all."""
        return self.status or frozenset({JobStatus.FAILED} if self.unresolved else ())

    @property
    def follows_status(self) -> bool:
        """Whether jobs come into the list, and leave it, with their status."""
        return bool(self.status or self.error) or self.unresolved is not None

    @property
    def ordering(self) -> Ordering:
        """The order asked for, else the one that suits the statuses shown, newest first."""
        if self.sort:
            return self.sort
        if self.tab == {JobStatus.RUNNING}:
            return Ordering("started")
        if self.tab and self.tab <= _ENDED:
            return Ordering("finished")
        return Ordering("created")


def _read_errors(read: Parameters) -> tuple[str, ...]:
    families = {f"{name.partition('.')[0]}.*" for name in CLASSES if "." in name}
    for text in read.several("error"):
        if text not in CLASSES and text not in families:
            read.errors["error"] = f"There is no error class {text}."
    return read.several("error")


def _any(conditions: Iterable[Q]) -> Q:
    first, *others = conditions
    for condition in others:
        first |= condition
    return first


def _error_condition(name: str) -> Q:
    if name.endswith(".*"):
        return Q(error_class__startswith=name.removesuffix("*"))
    return Q(error_class=name)


def _text_condition(text: str) -> Q:
    """The text as one of a job's ids, or each word of it somewhere in what a list row shows."""
    words = Q()
    for word in text.split():
        words &= (
            Q(name__icontains=word)
            | Q(input_url__icontains=word)
            | Q(batch__icontains=word)
            | Q(error_message__icontains=word)
        )
    found = words | Q(remote_id=text)
    if (pk := read_id(text)) is not None:
        found |= Q(pk=pk)
    return found
