"""What a bulk action came to, for those who may see it: itself, and the outcome of each job."""

from dataclasses import dataclass
from typing import ClassVar, Self

from django.db.models import QuerySet

from jobs.models import BulkAction, BulkOutcome, BulkTarget
from jobs.query.list_filter import ListFilter
from jobs.query.paging.cursors import NOT_VALID, seal, unseal
from jobs.query.parameters import Params
from jobs.query.references import find_by_id, read_id
from jobs.query.visibility import Visibility

# as readers know them: what is under way waits as well
SHOWN_OUTCOMES = tuple(outcome for outcome in BulkOutcome if outcome != BulkOutcome.SENT)


def find_bulk(visible: Visibility, text: str) -> BulkAction | None:
    """The action with this id, if all of its jobs are of accounts that are visible."""
    rows = BulkAction.objects.for_organization(visible.organization)
    bulk = find_by_id(rows.select_related("organization", "actor", "token"), text)
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
        outcomes = set(self.outcome)
        if BulkOutcome.PENDING in outcomes:
            outcomes.add(BulkOutcome.SENT)
        return targets.filter(outcome__in=sorted(outcomes))

    def page(self, bulk: BulkAction) -> ResultPage:
        """The page of the results that `cursor` names, in the order in which jobs are acted on.

        One query. Raises ValueError with a sentence for a cursor of another list.
        """
        scope = f"{bulk.pk} {self.scope}"
        targets = self.apply(bulk.targets.all()).select_related("job", "account", "new_job")
        if self.cursor:
            after = read_id(unseal(self.cursor, scope))
            if after is None:
                raise ValueError(NOT_VALID)
            targets = targets.filter(pk__gt=after)
        rows = list(targets.only(*COLUMNS).order_by("pk")[: self.limit + 1])
        following = seal(str(rows[self.limit - 1].pk), scope) if len(rows) > self.limit else None
        return ResultPage(rows[: self.limit], following)


COLUMNS = (
    *("bulk_id", "outcome", "reason", "new_job_id", "settled_at"),
    *("job__name", "job__remote_id", "account__name", "account__provider"),
    *("new_job__status", "new_job__provider_status"),
)
