"""What needs somebody, in the order in which to look at it.

What a colleague has asked of the reader first, then new and returned errors, failures, accounts,
jobs that look wrong, and what waits.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from insights.errors.counts import Totals, members_of, read_totals
from insights.errors.listing import with_jobs
from insights.overview.job_lists import Figure, JobList, measure
from jobs.accounts.freshness import Freshness, HealthStatus
from jobs.models import GroupMark, JobErrorGroup
from jobs.query.counts import Count
from jobs.query.paging.orderings import Ordering
from jobs.query.visibility import Visibility

# Rows of a kind that are shown; the last of them then leads to the others.
MAX_SHOWN = 5
# New and returned groups that are ordered by their number of failures.
MAX_RANKED = 100
# A queue is nothing to look at before its oldest job has waited so long.
PATIENCE = timedelta(minutes=10)


class Kind(StrEnum):
    """What a row is about."""

    MENTIONS = "mentions"
    ERROR = "error"
    MORE_ERRORS = "more_errors"
    UNRESOLVED = "unresolved"
    ACCOUNT = "account"
    MORE_ACCOUNTS = "more_accounts"
    STUCK = "stuck"
    SUSPECT = "suspect"
    UNCONFIRMED = "unconfirmed"
    QUEUED = "queued"


@dataclass(frozen=True, slots=True)
class Need:
    """One row: `figure` counts its jobs; an error has its `group`, an account its `state`.

    `others` is how many rows of the kind are not shown; of mentions, how many are unread.
    """

    kind: Kind
    figure: Figure | None = None
    group: JobErrorGroup | None = None
    mark: GroupMark = GroupMark.NONE
    providers: Sequence[str] = ()
    state: Freshness | None = None
    others: int = 0

    @property
    def template(self) -> str:
        """Of its row: each kind has words of its own."""
        return f"insights/overview/_need_{self.kind}.html"


LISTS: Mapping[str, JobList] = {
    Kind.UNRESOLVED: JobList(
        {"status": "failed", "unresolved": "true"}, Ordering("finished", descending=True)
    ),
    Kind.STUCK: JobList({"stuck": "true"}, Ordering("created", descending=False)),
    Kind.SUSPECT: JobList({"suspect": "true"}, Ordering("created", descending=True)),
    Kind.UNCONFIRMED: JobList(
        {"status": "submitting", "q": "is:unconfirmed"}, Ordering("created", descending=False)
    ),
    Kind.QUEUED: JobList({"status": "queued"}, Ordering("started", descending=False)),
}


@dataclass(frozen=True, slots=True)
class Attention:
    """`needs` in their order; `oldest_queued_at` is known even where no job waits for long."""

    needs: Sequence[Need]
    oldest_queued_at: datetime | None


def read_attention(
    visible: Visibility, states: Iterable[Freshness], now: datetime, *, mentions: int = 0
) -> Attention:
    """Four queries, and one for each account that is shown. `mentions`: the unread ones."""
    figures = measure(LISTS, visible)
    queued = figures[Kind.QUEUED]
    needs = [
        *([Need(Kind.MENTIONS, others=mentions)] if mentions else []),
        *_errors(visible, states, now),
        *_counted(figures, Kind.UNRESOLVED),
        *_accounts(visible, states),
        *_counted(figures, Kind.STUCK, Kind.SUSPECT, Kind.UNCONFIRMED),
    ]
    if queued.at is not None and queued.at <= now - PATIENCE:
        needs.append(Need(Kind.QUEUED, queued))
    return Attention(needs, queued.at)


def _counted(figures: Mapping[str, Figure], *kinds: Kind) -> Iterator[Need]:
    return (Need(kind, figures[kind]) for kind in kinds if figures[kind].count.value)


def _errors(visible: Visibility, states: Iterable[Freshness], now: datetime) -> Iterator[Need]:
    groups = visible.organization.error_groups.marked(now)
    newest = list(with_jobs(groups, visible).order_by("-marked_at", "-pk")[:MAX_RANKED])
    if not newest:
        return
    accounts = {state.account.pk: state.account for state in states}
    totals = read_totals(visible, members_of(group.pk for group in newest))
    newest.sort(key=lambda group: -totals[group.pk].unresolved)
    for group in newest[:MAX_SHOWN]:
        group.organization = visible.organization
        found = totals[group.pk]
        places = [accounts[pk].provider_label for pk in found.accounts if pk in accounts]
        yield Need(
            Kind.ERROR,
            _failures(visible, group, found),
            group=group,
            mark=group.current_mark(now),
            providers=list(dict.fromkeys(places)),
        )
    if len(newest) > MAX_SHOWN:
        yield Need(Kind.MORE_ERRORS, others=len(newest) - MAX_SHOWN)


def _failures(visible: Visibility, group: JobErrorGroup, totals: Totals) -> Figure:
    """Its unresolved failures; all, where each of them was resolved by a later attempt."""
    only = {"status": "failed", "unresolved": "true"} if totals.unresolved else {}
    job_list = JobList({**only, "error_group": str(group.pk)}, Ordering("finished"))
    number = totals.unresolved or totals.jobs
    return Figure(Count(number), job_list.url(visible.organization), totals.last_at)


def _accounts(visible: Visibility, states: Iterable[Freshness]) -> Iterator[Need]:
    troubled = [
        state for state in states if state.is_alarming or state.status == HealthStatus.PAUSED
    ]
    # refused, then failing, late and paused
    troubled.sort(key=lambda state: _BY_STATUS.index(state.status))
    shown = troubled[:MAX_SHOWN]
    lists = {
        str(state.account.pk): JobList(
            {
                "account": str(state.account.pk),
                "status": ["submitting", "queued", "running"],
            },
            Ordering("created"),
        )
        for state in shown
    }
    figures = measure(lists, visible) if lists else {}
    for state in shown:
        yield Need(Kind.ACCOUNT, figures[str(state.account.pk)], state=state)
    if len(troubled) > MAX_SHOWN:
        yield Need(Kind.MORE_ACCOUNTS, others=len(troubled) - MAX_SHOWN)


_BY_STATUS = (
    HealthStatus.REFUSED,
    HealthStatus.FAILING,
    HealthStatus.LATE,
    HealthStatus.PAUSED,
)
