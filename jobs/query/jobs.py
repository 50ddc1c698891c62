"""The filters of a job list, in the names that the URL and the API share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, ClassVar, Self

from django.db.models import Q, QuerySet

from jobs.models import Job, Preset
from jobs.query.language.conditions import assignee_condition, status_condition, time_condition
from jobs.query.language.parameters import FLAGS
from jobs.query.language.query import Query
from jobs.query.language.times import Range
from jobs.query.list_filter import ListFilter
from jobs.query.paging import bounded, keyset
from jobs.query.paging.keyset import KeysetPage
from jobs.query.paging.orderings import SORT_TIMES, Ordering
from jobs.query.parameters import Parameters, Params
from jobs.query.references import ME
from jobs.query.search.searches import find_few, has_searches
from jobs.query.search.uses import Use
from jobs.query.visibility import Visibility
from providers.core.errors import CLASSES
from providers.core.status import JobStatus

TIMES = ("created", "started", "finished", "changed")

# the classes, and the families that they come in, such as `input.*`
ERROR_NAMES = (
    *CLASSES,
    *sorted({f"{name.partition('.')[0]}.*" for name in CLASSES if "." in name}),
)

_ENDED = frozenset({JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED})


@dataclass(frozen=True)
class JobFilter(ListFilter):
    """What a list of jobs shows, in which order, from where. Made by `parse`."""

    REPEATED: ClassVar[tuple[str, ...]] = (
        "status",
        "provider",
        "account",
        "error",
        "error_group",
        "batch",
        "preset",
        "submitted_by",
        "assigned",
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
    # with those that are merged into what `error_group` names
    error_groups: tuple[int, ...] = ()
    batches: tuple[int, ...] = ()
    presets: tuple[Preset, ...] = ()
    # None: gone jobs are left out of the active statuses alone
    gone: bool | None = None
    unresolved: bool | None = None
    partial: bool | None = None
    suspect: bool | None = None
    stuck: bool | None = None
    # the jobs that one of `submitted_by` submitted
    submitters: Q | None = None
    # the members whom the jobs are assigned to
    assignees: tuple[int, ...] = ()
    # by parameter: `created_after`
    times: Mapping[str, datetime] = field(default_factory=dict)
    search: Query = field(kw_only=True)
    # what `search` asks for beside all this, and the use of `presets`
    condition: Q = field(default_factory=Q)
    sort: Ordering | None = None

    @classmethod
    def parse(
        cls,
        params: Params,
        visible: Visibility,
        zone: tzinfo | None = None,
        now: datetime | None = None,
    ) -> Self:
        """Read the query string of a list of jobs.

        `zone` is that of dates in `q`; by default the organization's. Ages count back from `now`,
        so that a list can be read again as it was meant. One query when accounts or
        providers are named, one when batches are, one when assignees are, at most two when
        submitters are, else none; and more for what `q` says of them in alternatives and negations,
        or of presets.
        """
        search = Query.read(params, cls.CONDITIONS, visible, zone, now)
        read = cls.read(search.params, visible, now)
        found: dict[str, Any] = {
            "status": read.choices("status", JobStatus),
            "account_ids": read.account_ids(),
            "error": _read_errors(read),
            "error_groups": read.error_groups(),
            "batches": read.batches(),
            "presets": read.presets(),
            **{name: read.flag(name) for name in FLAGS},
            "submitters": read.submitters(),
            "assignees": read.assignees(),
            "times": _read_times(read),
            "sort": read.ordering(SORT_TIMES),
            "limit": read.limit(),
        }
        search, condition = search.resolve(read.errors, asks_gone=found["gone"] is True)
        if found["presets"]:
            condition &= Q(Use(tuple(preset.pk for preset in found["presets"])))
        read.values["q"] = [text] if (text := search.rest_text) else []
        return cls(
            **found,
            search=search,
            condition=condition,
            cursor=read.one("cursor"),
            given=read.given,
            errors=read.errors,
            unknown=read.unknown,
            organization_id=visible.organization.pk,
            member_id=visible.member_id if _is_personal(read, search) else None,
        )

    def page(self, queryset: QuerySet[Job]) -> KeysetPage[Job]:
        """The page of the list that `cursor` names; ValueError where it names none.

        What no index serves is searched for a limited time: see `searched_to`.
        """
        place = (self.ordering, self.limit, self.cursor, self.scope)
        if self.is_served:
            return keyset.page(self.apply(queryset), *place)
        return bounded.search_page(self.apply_without_condition(queryset), self.condition, *place)

    def apply(self, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """The jobs of `queryset` that fit, not sorted."""
        return self._apply_tab(self.apply_beside_tab(queryset))

    def apply_without_condition(self, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """The jobs that fit what indexes serve of what is asked for: all but `condition`."""
        return self._apply_tab(self._apply_parameters(queryset))

    def apply_beside_tab(self, queryset: QuerySet[Job]) -> QuerySet[Job]:
        """The jobs that fit all that is asked for but what the tabs choose: status, unresolved."""
        return self._apply_parameters(queryset).filter(self.condition)

    def _apply_tab(self, queryset: QuerySet[Job]) -> QuerySet[Job]:
        if self.status:
            condition = status_condition(self.status, asks_gone=self.gone is True)
            queryset = queryset.filter(condition)
        if self.unresolved:
            queryset = queryset.filter(status=JobStatus.FAILED, is_unresolved=True)
        elif self.unresolved is not None:
            queryset = queryset.filter(is_unresolved=False)
        return queryset

    def _apply_parameters(self, queryset: QuerySet[Job]) -> QuerySet[Job]:
        if self.is_unreadable:
            return queryset.none()
        if self.gone is not None:
            queryset = queryset.filter(gone_at__isnull=not self.gone)
        if self.account_ids is not None:
            queryset = queryset.filter(account_id__in=sorted(self.account_ids))
        if self.error:
            queryset = queryset.filter(error_class__in=self.error_classes)
        if self.error_groups:
            queryset = queryset.filter(_in_groups(self.error_groups))
        if self.batches:
            queryset = queryset.filter(batch__in=self.batches)
        # few jobs are partial, suspect or stuck, and each person submitted some: job_list_partial,
        # job_list_suspect, job_list_stuck and job_list_submitted_by are indexes of these alone
        if self.partial is not None:
            queryset = queryset.filter(is_partial=self.partial)
        if self.suspect is not None:
            queryset = queryset.filter(is_suspect=self.suspect)
        if self.stuck is not None:
            queryset = queryset.filter(is_stuck=self.stuck)
        if self.submitters is not None:
            queryset = queryset.filter(self.submitters)
        if self.assignees:
            queryset = queryset.filter(assignee_condition(self.assignees))
        for name, moment in self.times.items():
            queryset = queryset.filter(_time_condition(name, moment))
        return queryset

    @property
    def error_classes(self) -> list[str]:
        """The classes, those of each family among them, which an index finds one by one."""
        found = set()
        for name in self.error:
            family = name.removesuffix("*")
            found |= (
                {name} if family == name else {one for one in CLASSES if one.startswith(family)}
            )
        return sorted(found)

    @property
    def text(self) -> str:
        """All conditions as one query, which the search box shows."""
        read = [pair for pair in self.given if pair[0] not in self.errors]
        return self.search.write_with(read)

    @property
    def is_indexed(self) -> bool:
        """Whether this is one of the lists that indexes serve, unless many jobs have its text."""
        return self.search.is_indexed

    @property
    def is_served(self) -> bool:
        """Whether indexes serve the list, however many jobs there are: all that it asks for, or
        text, or a preset, that few jobs have, whatever else of these. Asks the database for those.
        """
        if not has_searches(self.condition):
            return self.is_indexed and not self.search.has_text
        return self.are_few

    @property
    def are_few(self) -> bool:
        """Whether the jobs are among few that an index picked. Asks the database for those."""
        return find_few(self.condition) is not None

    @property
    def tab(self) -> frozenset[JobStatus]:
        """The statuses that the list is of; empty for all."""
        return self.status or frozenset({JobStatus.FAILED} if self.unresolved else ())

    @property
    def follows_status(self) -> bool:
        """Whether jobs come into the list, and leave it, with their status."""
        by_parameters = (
            bool(self.status or self.error or self.error_groups) or self.unresolved is not None
        )
        return by_parameters or self.search.follows_status

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
        ranges = {name.partition("_")[0] for name in self.times} | self.search.time_keys
        return Ordering(
            next((name for name in ("finished", "started") if name in ranges), "created")
        )


def _is_personal(read: Parameters, search: Query) -> bool:
    """Whether the list is another one for each person."""
    return search.is_personal or ME in map(str.lower, read.several("assigned"))


def _read_times(read: Parameters) -> dict[str, datetime]:
    names = [f"{name}_{side}" for name in TIMES for side in ("after", "before")]
    return {name: moment for name in names if (moment := read.time(name))}


def _time_condition(name: str, moment: datetime) -> Q:
    time, _, side = name.partition("_")
    # half-open, so that two windows that meet neither share nor lose a job
    times = Range(start=moment) if side == "after" else Range(end=moment)
    return time_condition(time, times)


def _read_errors(read: Parameters) -> tuple[str, ...]:
    for text in read.several("error"):
        if text not in ERROR_NAMES:
            read.errors["error"] = f"There is no error class {text}."
    return read.several("error")


def _in_groups(groups: tuple[int, ...]) -> Q:
    """One alone is asked for as such: its index is in the order of the list."""
    return Q(error_group=groups[0]) if len(groups) == 1 else Q(error_group__in=groups)
