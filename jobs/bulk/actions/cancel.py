"""Cancelling jobs."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Exists, OuterRef, Q, Value, When

from jobs.actions.cancellation import AlreadyCancelled, request_cancel
from jobs.actions.offers import Refusal
from jobs.bulk.actions.base import Action, Words
from jobs.bulk.left_out import (
    ENDED,
    AccountFacts,
    Clause,
    by_account,
    by_adapter,
    find_lacking,
    refuse,
    refuse_out_of_reach,
)
from jobs.models import (
    ActionState,
    BulkAction,
    BulkKind,
    BulkOutcome,
    Job,
    Submission,
    SubmissionState,
)
from providers.core.contract import Provider
from providers.core.status import TERMINAL, JobStatus
from providers.core.types import Capability


class Cancel(Action):
    KIND = BulkKind.CANCEL
    WORDS = Words(
        question="Cancel {jobs}?",
        button="Cancel {jobs}",
        participle="cancelled",
        title="Cancellation of {jobs}",
        explanation="The provider is asked to cancel each of them.",
        cost="What a provider has encoded before it cancels a job may still be charged.",
    )

    def refuse(self, accounts: Sequence[AccountFacts]) -> list[When]:
        submitting = Q(status=JobStatus.SUBMITTING)
        unsent = Submission.objects.filter(
            pk=OuterRef("pk"), state=SubmissionState.DUE, leased_until__isnull=True
        )
        wrong = Q(pk__in=[])
        for ids, adapter in by_adapter(accounts):
            wrong |= Q(account__in=ids) & ~Q(status__in=sorted(adapter.cancellable))
        lacking = Q(account__in=find_lacking(accounts, Capability.CANCEL))
        return [
            When(submitting & Q(Exists(unsent)), then=Value("")),
            refuse(submitting, Refusal.BEING_SENT),
            refuse(lacking, Refusal.NOT_SUPPORTED),
            refuse(Q(status__in=sorted(TERMINAL)), Refusal.FINISHED),
            *refuse_out_of_reach(Q()),
            refuse(wrong, Refusal.WRONG_STATUS),
            refuse(Q(account__in=[one.pk for one in accounts if not one.enabled]), Refusal.PAUSED),
        ]

    def find_clauses(self, accounts: Sequence[AccountFacts]) -> Iterator[Clause]:
        yield Clause(Refusal.BEING_SENT, None, f"-status:{JobStatus.SUBMITTING}")
        yield by_account(Refusal.NOT_SUPPORTED, find_lacking(accounts, Capability.CANCEL))
        yield Clause(Refusal.FINISHED, ENDED, f"-{ENDED}")
        yield Clause(Refusal.NOT_CURRENT, None, None)
        yield Clause(Refusal.GONE, "is:gone", "-is:gone")
        yield Clause(Refusal.NOT_ACCEPTED, None, None)
        yield Clause(Refusal.WRONG_STATUS, None, None)
        yield by_account(Refusal.PAUSED, [one.pk for one in accounts if not one.enabled])

    def bucket_of(self, adapter: type[Provider]) -> str:
        return "cancel"

    def request(self, bulk: BulkAction, job: Job) -> Mapping[str, Any]:
        try:
            action = request_cancel(job, user=bulk.actor, token=bulk.token)
        except AlreadyCancelled as error:
            return {"outcome": BulkOutcome.DONE, "reason": str(error)}
        is_done = action.state == ActionState.DONE
        return {"outcome": BulkOutcome.DONE if is_done else BulkOutcome.SENT, "action": action}
