"""Conditions that ask the index when they first become part of a query, and only then."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, reduce
from operator import or_
from typing import Any, ClassVar

from django.db.models import BooleanField, ExpressionWrapper, Q

from jobs.models.search.sections import Term
from jobs.query.search.matches import are_among, contains, find_jobs


class Lazy(ABC):
    """A condition on jobs that is made when it is used, and then serves whatever it narrows."""

    # to Django: it is true or false
    conditional: ClassVar[bool] = True

    @property
    @abstractmethod
    def found(self) -> list[int] | None:
        """The ids of the jobs that fit; None where they are not known to be few."""

    @property
    @abstractmethod
    def condition(self) -> Q:
        """What the jobs that fit have in common."""

    def resolve_expression(self, *args: Any, **kwargs: Any) -> Any:
        wrapped = ExpressionWrapper(self.condition, output_field=BooleanField())
        return wrapped.resolve_expression(*args, **kwargs)


@dataclass(frozen=True)
class Search(Lazy):
    """The jobs that contain all `terms`; at most four queries."""

    terms: tuple[Term, ...]
    organization_id: int

    @cached_property
    def found(self) -> list[int] | None:
        found = find_jobs(self.terms, self.organization_id)
        return None if found is None else sorted({*found, *self.exact})

    @cached_property
    def condition(self) -> Q:
        if self.found is not None:
            return are_among(self.found)
        found = contains(self.terms)
        return found | Q(pk__in=self.exact) if self.exact else found

    @cached_property
    def exact(self) -> list[int]:
        """Jobs that are found by something else."""
        return []


@dataclass(frozen=True)
class Alternatives(Lazy):
    """The jobs that one of `parts` selects. Where each finds few, they are picked by their ids."""

    parts: tuple[Q, ...]

    @cached_property
    def found(self) -> list[int] | None:
        few = set()
        for part in self.parts:
            found = find_few(part)
            if found is None:
                return None
            few.update(found)
        return sorted(few)

    @cached_property
    def condition(self) -> Q:
        found = reduce(or_, self.parts)
        # the planner would not see through the OR
        return found if self.found is None else are_among(self.found) & found


def any_of(conditions: Iterable[Q]) -> Q:
    """The jobs that one of `conditions` selects."""
    parts = tuple(conditions)
    if not all(any(_searches(part)) for part in parts):
        return reduce(or_, parts)
    return parts[0] if len(parts) == 1 else Q(Alternatives(parts))


def find_few(condition: Q) -> list[int] | None:
    """Jobs among which are all that fit `condition`, where an index finds them and they are few."""
    for search in _searches(condition):
        if search.found is not None:
            return search.found
    return None


def has_searches(condition: Q) -> bool:
    """Whether all jobs that fit `condition` fit a search."""
    return any(True for _ in _searches(condition))


def _searches(condition: Q) -> Iterable[Lazy]:
    """Those that all jobs fit which `condition` selects."""
    if condition.negated or (condition.connector != Q.AND and len(condition.children) > 1):
        return
    for child in condition.children:
        if isinstance(child, Lazy):
            yield child
        elif isinstance(child, Q):
            yield from _searches(child)
