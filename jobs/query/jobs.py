"""The filters of a job list, in the names that the URL and the API share."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar, Self

from django.db.models import Q, QuerySet

from jobs.models import Job, Output, Preset
from jobs.query.list_filter import ListFilter
from jobs.query.orderings import SORT_TIMES, Ordering
from jobs.query.parameters import Parameters, Params
from jobs.query.references import read_id
from jobs.query.visibility import Visibility
from providers.core.errors import CLASSES
from providers.core.status import ACTIVE, JobStatus

FLAGS = ("gone", "unresolved", "partial", "suspect")
TIMES = ("created", "started", "finished", "changed")

# by far more than a creation may be ahead of our clock
MAX_CLOCK_ERROR = timedelta(days=1)

_ENDED = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})


@dataclass(frozen=True)
class JobFilter(ListFilter):
    """What a list of jobs shows, in which order, from where. Made by `parse`."""

    REPEATED: ClassVar[tuple[str, ...]] = (
        "status",
        "provider",
        "account",
        "error",
        "batch",
        "preset",
        "submitted_by",
    )
    CONDITIONS: ClassVar[tuple[str, ...]] = (
        *REPEATED,
        *FLAGS,
        "q",
        *(f"{name}_{side}" for name in TIMES for side in ("after", "before")),
    )

    status: frozenset[JobStatus] = frozenset()
    # None: every account; what `provider` and `account` together come to
    account_ids: frozenset[int] | None = None
    error: tuple[str, ...] = ()
    batch: tuple[str, ...] = ()
    presets: tuple[Preset, ...] = ()
    # None: gone jobs are left out of the active statuses alone
    gone: bool | None = None
    unresolved: bool | None = None
    partial: bool | None = None
    suspect: bool | None = None
    # the jobs that one of `submitted_by` submitted
    submitters: Q | None = None
    q: str = ""
    # by parameter: `created_after`
    times: Mapping[str, datetime] = field(default_factory=dict)
    sort: Ordering | None = None

    @classmethod
    def parse(cls, params: Params, visible: Visibility) -> Self:
        """Read the query string of a list of jobs.

        One query when accounts or providers are named, one when presets are, at most two when
        submitters are, else none.
        """
        read = cls.read(params, visible)
        return cls(
            status=read.choices("status", JobStatus),
            account_ids=read.account_ids(),
            error=_read_errors(read),
            batch=read.several("batch"),
            presets=read.presets(),
            gone=read.flag("gone"),
            unresolved=read.flag("unresolved"),
            partial=read.flag("partial"),
            suspect=read.flag("suspect"),
            submitters=read.submitters(),
            q=read.one("q"),
            times=_read_times(read),
            sort=read.ordering(SORT_TIMES),
            limit=read.limit(),
            cursor=read.one("cursor"),
            given=read.given,
            errors=read.errors,
            unknown=read.unknown,
            organization_id=visible.organization.pk,
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
        # few jobs are partial or suspect, and each person submitted some: job_list_partial,
        # job_list_suspect and job_list_submitted_by are indexes of these alone
        if self.partial is not None:
            queryset = queryset.filter(is_partial=self.partial)
        if self.suspect is not None:
            queryset = queryset.filter(is_suspect=self.suspect)
        if self.submitters is not None:
            queryset = queryset.filter(self.submitters)
        if self.q:
            queryset = queryset.filter(_text_condition(self.q))
        for name, moment in self.times.items():
            queryset = _filter_time(queryset, name, moment)
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
        """The order asked for, else the one that suits what is shown, newest first."""
        if self.sort:
            return self.sort
        if self.tab == {JobStatus.RUNNING}:
            return Ordering("started")
        if self.tab and self.tab <= _ENDED:
            return Ordering("finished")
        # a range far back in one time would be searched from the top of another
        ranges = {name.partition("_")[0] for name in self.times}
        return Ordering(
            next((name for name in ("finished", "started") if name in ranges), "created")
        )


def _read_times(read: Parameters) -> dict[str, datetime]:
    names = [f"{name}_{side}" for name in TIMES for side in ("after", "before")]
    return {name: moment for name in names if (moment := read.time(name))}


def _filter_time(queryset: QuerySet[Job], name: str, moment: datetime) -> QuerySet[Job]:
    """Narrow to one side of `moment`; leaves out jobs that did not start, or did not end."""
    time, _, side = name.partition("_")
    # half-open, so that two windows that meet neither share nor lose a job
    than = "gte" if side == "after" else "lt"
    column, *replacements = SORT_TIMES[time]
    queryset = queryset.filter(**{f"{column}__{than}": moment})
    if replacements:
        # the same again on what job_list_started and job_list_ended are made of, which gives them
        # their range
        queryset = queryset.alias(**{time: Ordering(time).expression})
        queryset = queryset.filter(**{f"{time}__{than}": moment})
    elif time == "changed" and side == "before":
        # nothing changes before it was created, as far as clocks agree: job_list starts there
        queryset = queryset.filter(sort_at__lt=moment + MAX_CLOCK_ERROR)
    return queryset


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
