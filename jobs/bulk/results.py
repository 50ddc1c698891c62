"""What a bulk action came to, for those who may see it: itself, and the outcome of each job."""

from dataclasses import dataclass
from typing import ClassVar, Self

from django.db.models import Q, QuerySet

from jobs.bulk.actions.registry import RELATED, UNUSED
from jobs.models import BulkAction, BulkOutcome, BulkTarget
from jobs.models.bulk.target import SHOWN_OUTCOMES
from jobs.query.list_filter import ListFilter
from jobs.query.paging.cursors import NOT_VALID, seal, unseal
from jobs.query.parameters import Params
from jobs.query.references import find_by_id, read_id
from jobs.query.visibility import Visibility


def find_bulk(visible: Visibility, text: str) -> BulkAction | None:
    """The action with this id, if all of its jobs are of accounts that are visible."""
    rows = BulkAction.objects.for_organization(visible.organization)
    related = rows.select_related("organization", "actor", "token", *RELATED)
    bulk = find_by_id(related.defer(*UNUSED), text)
    if bulk is None or visible.account_ids is None:
        return bulk
    limited_to = bulk.account_ids
    is_visible = limited_to is not None and visible.account_ids.issuperset(limited_to)
    return bulk if is_visible else None


@dataclass(frozen=True, slots=True)
class ResultPage:
    """`next` is a cursor; None on the last page."""

    rows: list[BulkTarget]
    next: str | None


@dataclass(frozen=True)
class ResultFilter(ListFilter):
    """Which results of an action are listed. Made by `parse`."""

    REPEATED: ClassVar[tuple[str, ...]] = ("outcome",)
    CONDITIONS: ClassVar[tuple[str, ...]] = ("outcome",)
    OTHERS: ClassVar[tuple[str, ...]] = ("limit", "cursor")

    outcome: frozenset[BulkOutcome] = frozenset()

    @classmethod
    def parse(cls, params: Params, visible: Visibility) -> Self:
        """Read the query string; no query."""
        read = cls.read(params, visible)
        chosen = read.several("outcome")
        if unknown := [text for text in chosen if text not in SHOWN_OUTCOMES]:
            names = ", ".join(SHOWN_OUTCOMES)
            read.errors["outcome"] = f"There is no outcome {unknown[0]}. Use {names}."
            chosen = ()
        return cls(
            outcome=frozenset(map(BulkOutcome, chosen)),
            limit=read.limit(),
            cursor=read.one("cursor"),
            given=read.given,
            errors=read.errors,
            unknown=read.unknown,
            organization_id=visible.organization.pk,
        )

    def apply(self, targets: QuerySet[BulkTarget]) -> QuerySet[BulkTarget]:
        if self.is_unreadable:
            return targets.none()
        if not self.outcome:
            return targets
        stored = {name for outcome in self.outcome for name in outcome.stored}
        return targets.filter(outcome__in=sorted(stored))

    def page(self, bulk: BulkAction, *, has_problems_first: bool = False) -> ResultPage:
        """The page of the results that `cursor` names, in the order in which jobs are acted on.

        `has_problems_first`: refused and failed ones come before the others. One query. Raises
        ValueError with a sentence for a cursor of another list.
        """
        scope = f"{bulk.pk} {has_problems_first} {self.scope}"
        targets = self.apply(bulk.targets.all()).select_related("job__account", "new_job")
        if self.cursor:
            targets = targets.filter(_read_place(unseal(self.cursor, scope), has_problems_first))
        order = ("-is_problem", "pk") if has_problems_first else ("pk",)
        rows = list(targets.only(*COLUMNS).order_by(*order)[: self.limit + 1])
        following = None
        if len(rows) > self.limit:
            last = rows[self.limit - 1]
            following = seal(f"{last.is_problem:d}{last.pk}", scope)
        return ResultPage(rows[: self.limit], following)


def _read_place(text: str, has_problems_first: bool) -> Q:
    """What comes after the row of a cursor. Raises ValueError."""
    after = read_id(text[1:])
    if after is None:
        raise ValueError(NOT_VALID)
    if not has_problems_first:
        return Q(pk__gt=after)
    is_problem = text.startswith("1")
    following = Q(is_problem=is_problem, pk__gt=after)
    return following | Q(is_problem=False) if is_problem else following


COLUMNS = (
    *("bulk_id", "outcome", "is_problem", "reason", "new_job_id", "settled_at"),
    *("job__name", "job__remote_id", "job__account__name", "job__account__provider"),
    *("new_job__status", "new_job__provider_status"),
)
