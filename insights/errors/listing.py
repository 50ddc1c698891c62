"""The list of error groups: filters, tabs, order and pages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, NamedTuple, Self

from django.db.models import Count, Exists, F, OuterRef, Q

from insights.errors.counts import Totals, members_of, read_totals
from jobs.models import GroupMark, GroupState, Job, JobErrorGroup
from jobs.models.mirror.error_group import MARKED_FOR, JobErrorGroupQuerySet
from jobs.query.list_filter import ListFilter
from jobs.query.parameters import Parameters, Params
from jobs.query.visibility import Visibility
from providers.core.errors import CLASSES, Fixer

FIXERS: dict[Fixer, str] = {
    "you": "You",
    "owner": "Source owner",
    "provider": "Provider",
}
# So many are ordered by their number of failures, the newest ones; nobody pages through more.
MAX_RANKED = 2_000


@dataclass(frozen=True)
class ErrorFilter(ListFilter):
    """Which groups a list shows, from where. Made by `parse`."""

    REPEATED: ClassVar[tuple[str, ...]] = ("state", "provider", "account", "assigned")
    CONDITIONS: ClassVar[tuple[str, ...]] = (*REPEATED, "mark", "fixer")
    OTHERS: ClassVar[tuple[str, ...]] = ("limit", "cursor")

    states: frozenset[GroupState] = frozenset()
    mark: str = ""
    fixer: str = ""
    # members whom the groups are assigned to
    assignees: tuple[int, ...] = ()
    # None: every account; what `provider` and `account` together come to
    account_ids: frozenset[int] | None = None
    offset: int = 0

    @classmethod
    def parse(cls, params: Params, visible: Visibility) -> Self:
        """Read the query string. One query when accounts or providers are named, else none."""
        read = cls.read(params, visible)
        return cls(
            states=read.choices("state", GroupState),
            mark=_one_of(read, "mark", [GroupMark.NEW.value, GroupMark.RETURNED.value]),
            fixer=_one_of(read, "fixer", list(FIXERS)),
            assignees=read.assignees(),
            account_ids=read.account_ids(),
            offset=read.number("cursor", 1, MAX_RANKED) or 0,
            limit=read.limit(),
            cursor=read.one("cursor"),
            given=read.given,
            errors=read.errors,
            unknown=read.unknown,
            organization_id=visible.organization.pk,
        )

    @property
    def is_empty(self) -> bool:
        """Whether nothing but a tab narrows the list."""
        narrowing = ("provider", "account", "assigned", "fixer")
        return not any(name in narrowing for name, _ in self.given)

    def narrow(self, visible: Visibility) -> Visibility:
        """What the caller may see of the accounts that are asked for."""
        if self.account_ids is None:
            return visible
        seen = visible.account_ids
        ids = self.account_ids if seen is None else self.account_ids & seen
        return replace(visible, account_ids=ids)

    def apply(self, groups: JobErrorGroupQuerySet, now: datetime) -> JobErrorGroupQuerySet:
        """The groups of `groups` that fit, not sorted."""
        if self.is_unreadable:
            return groups.none()
        if self.states:
            groups = groups.filter(state__in=self.states)
        if self.mark:
            groups = groups.marked(now).filter(mark=self.mark)
        if self.assignees:
            groups = groups.filter(assignee__in=self.assignees)
        if self.fixer:
            names = [one.name for one in CLASSES.values() if one.fixer == self.fixer]
            groups = groups.filter(error_class__in=names)
        return groups


def _one_of(read: Parameters, name: str, known: Iterable[str]) -> str:
    text, known = read.one(name), list(known)
    if text and text not in known:
        read.errors[name] = f"Use {' or '.join(known)}."
        return ""
    return text


def with_jobs(groups: JobErrorGroupQuerySet, visible: Visibility) -> JobErrorGroupQuerySet:
    """Roots that have a job which the caller may see, of their own or of a merged group."""
    seen = {} if visible.account_ids is None else {"account__in": visible.account_ids}
    own = Job.objects.filter(error_group=OuterRef("pk"), **seen)
    merged = Job.objects.filter(error_group__merged_into=OuterRef("pk"), **seen)
    return groups.roots().filter(Exists(own) | Exists(merged))


class Page(NamedTuple):
    """Groups in the order of the list, their totals by id, and the cursor of the next page."""

    groups: list[JobErrorGroup]
    totals: Mapping[int, Totals]
    next: int | None


def read_page(visible: Visibility, filters: ErrorFilter, now: datetime) -> Page:
    """New and returned groups first, then those with most unresolved failures.

    Three queries. The order takes the failures of all groups, which an index of them gives in a
    fiftieth of a second for a hundred thousand; the database joins them to the groups far slower.
    """
    roots = filters.apply(with_jobs(visible.organization.error_groups.all(), visible), now)
    newest = roots.with_assignees().order_by(F("marked_at").desc(nulls_last=True), "-pk")
    groups = {group.pk: group for group in newest[:MAX_RANKED]}
    totals = read_totals(visible, members_of(groups))

    def rank(group: JobErrorGroup) -> tuple[bool, int, float, int]:
        found = totals[group.pk]
        last = found.last_at.timestamp() if found.last_at else 0.0
        return group.current_mark(now) != GroupMark.NONE, found.unresolved, last, group.pk

    end = filters.offset + filters.limit
    ranked = sorted(groups.values(), key=rank, reverse=True)
    return Page(ranked[filters.offset : end], totals, end if len(ranked) > end else None)


@dataclass(frozen=True, slots=True)
class TabCounts:
    open: int
    new: int
    returned: int
    muted: int
    resolved: int

    @property
    def all(self) -> int:
        return self.open + self.muted + self.resolved


def count_tabs(visible: Visibility, now: datetime) -> TabCounts:
    """How many groups each tab has. One query."""
    is_marked = Q(state=GroupState.OPEN, marked_at__gt=now - MARKED_FOR)
    conditions = {
        "open": Q(state=GroupState.OPEN),
        "new": is_marked & Q(mark=GroupMark.NEW),
        "returned": is_marked & Q(mark=GroupMark.RETURNED),
        "muted": Q(state=GroupState.MUTED),
        "resolved": Q(state=GroupState.RESOLVED),
    }
    groups = with_jobs(visible.organization.error_groups.all(), visible)
    return TabCounts(
        **groups.aggregate(
            **{name: Count("pk", filter=condition) for name, condition in conditions.items()}
        )
    )
