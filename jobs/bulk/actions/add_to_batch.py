"""Putting jobs into a batch, which asks no provider."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import CharField, Q, Value, When
from django.db.models.functions import Cast, Concat

from jobs.batches.adding import NotAdded, add_job
from jobs.bulk.actions.base import Action, Words
from jobs.bulk.left_out import IN_BATCH, AccountFacts, Clause
from jobs.models import BulkAction, BulkKind, BulkOutcome, Job
from providers.core.contract import Provider


class AddToBatch(Action):
    KIND = BulkKind.ADD_TO_BATCH
    WORDS = Words(
        question="Add {jobs} to a batch?",
        button="Add {jobs}",
        participle="added to a batch",
        title="Adding {jobs} to a batch",
        explanation="Nothing is sent to a provider. Retries of a job belong to its batch, too.",
    )
    ASKS_PROVIDER = False

    def refuse(self, accounts: Sequence[AccountFacts]) -> list[When]:
        # with the batch, so that the reason says which
        key = Concat(Value(f"{IN_BATCH}:"), Cast("batch_id", CharField()))
        return [When(Q(batch__isnull=False), then=key)]

    def find_clauses(self, accounts: Sequence[AccountFacts]) -> Iterator[Clause]:
        yield Clause(IN_BATCH, "batch:{id}", None)

    def bucket_of(self, adapter: type[Provider]) -> str:
        return ""

    def why_impossible(self) -> str:
        return "" if self.options.batch else "The batch has been deleted."

    def title(self, jobs: str) -> str:
        batch = self.options.batch
        return f"Adding {jobs} to “{batch.name}”" if batch else super().title(jobs)

    def request(self, bulk: BulkAction, job: Job) -> Mapping[str, Any]:
        assert self.options.batch is not None  # noqa: S101 - tells mypy: see why_impossible
        try:
            add_job(job, self.options.batch, user=bulk.actor, token=bulk.token)
        except NotAdded as error:
            return {"outcome": BulkOutcome.REFUSED, "reason": str(error)}
        return {"outcome": BulkOutcome.DONE}
