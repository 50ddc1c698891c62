"""The jobs that used a preset, or that a bulk action acts on: their ids where they are few, else a
condition to read them by.
"""

from dataclasses import dataclass
from functools import cached_property

from django.db.models import OuterRef, Q, Subquery

from jobs.models import BulkOutcome, BulkTarget, Output
from jobs.query.search.matches import MAX_FOUND, are_among
from jobs.query.search.searches import Lazy


@dataclass(frozen=True)
class Use(Lazy):
    """The jobs with an output of one of the presets; one query."""

    preset_ids: tuple[int, ...]

    @cached_property
    def found(self) -> list[int] | None:
        outputs = Output.objects.filter(preset__in=self.preset_ids)
        found = list(outputs.values_list("job_id", flat=True)[: MAX_FOUND + 1])
        return None if len(found) > MAX_FOUND else sorted(set(found))

    @cached_property
    def condition(self) -> Q:
        if self.found is not None:
            return are_among(self.found)
        # a subquery for one value cannot be turned into a join: the planner keeps the list's order
        used = Output.objects.filter(job=OuterRef("pk"), preset__in=self.preset_ids).order_by()
        return Q(pk=Subquery(used.values("job_id")[:1]))


@dataclass(frozen=True)
class Targets(Lazy):
    """The jobs of bulk actions, of each those with the outcome beside it, or all; one query."""

    chosen: tuple[tuple[int, BulkOutcome | None], ...]

    @cached_property
    def found(self) -> list[int] | None:
        targets = BulkTarget.objects.filter(self._are_chosen)
        found = list(targets.values_list("job_id", flat=True)[: MAX_FOUND + 1])
        return None if len(found) > MAX_FOUND else sorted(set(found))

    @cached_property
    def condition(self) -> Q:
        if self.found is not None:
            return are_among(self.found)
        targets = BulkTarget.objects.filter(self._are_chosen, job=OuterRef("pk")).order_by()
        return Q(pk=Subquery(targets.values("job_id")[:1]))

    @property
    def _are_chosen(self) -> Q:
        chosen = Q(pk__in=[])
        for bulk_id, outcome in self.chosen:
            if outcome is None:
                chosen |= Q(bulk=bulk_id)
            else:
                chosen |= Q(bulk=bulk_id, outcome__in=outcome.stored)
        return chosen
