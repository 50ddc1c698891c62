"""Retrying jobs where they ran."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Q, When

from jobs.actions.offers import Refusal
from jobs.actions.resubmission import request_resubmit
from jobs.bulk.actions.base import Action, Words
from jobs.bulk.left_out import (
    ENDED,
    RESOLVED,
    AccountFacts,
    Clause,
    by_account,
    by_adapter,
    find_able,
    find_lacking,
    refuse,
    refuse_out_of_reach,
    refuse_retried,
)
from jobs.models import ActionKind, BulkAction, BulkKind, BulkOutcome, Job, JobAction
from providers.core.contract import Provider
from providers.core.status import TERMINAL
from providers.core.types import Capability


class Retry(Action):
    KIND = BulkKind.RESUBMIT
    WORDS = Words(
        question="Retry {jobs}?",
        button="Retry {jobs}",
        participle="retried",
        title="Retry of {jobs}",
        explanation="Each becomes a new attempt with the settings that it had.",
        cost="Providers usually charge for a retry as for a new job.",
    )
    MAKES_JOBS = True

    def refuse(self, accounts: Sequence[AccountFacts]) -> list[When]:
        no_submit = Q(account__in=find_lacking(accounts, Capability.SUBMIT))
        no_native = Q(account__in=find_lacking(accounts, Capability.RESUBMIT))
        lacks_native = no_native | Q(remote_id__isnull=True)
        able = find_able(accounts, Capability.RESUBMIT)
        native = Q(remote_id__isnull=False, account__in=able)
        wrong = Q(pk__in=[])
        for ids, adapter in by_adapter(accounts):
            wrong |= Q(account__in=ids) & ~Q(status__in=sorted(adapter.resubmittable))
        return [
            refuse(lacks_native & no_submit, Refusal.NOT_SUPPORTED),
            refuse(Q(resolved_by__isnull=False), RESOLVED),
            refuse(~Q(status__in=sorted(TERMINAL)), Refusal.NOT_FINISHED),
            refuse(lacks_native & Q(request__isnull=True), Refusal.NOT_SUBMITTED_HERE),
            *refuse_out_of_reach(native),
            refuse(native & wrong, Refusal.WRONG_STATUS),
        ]

    def refuse_more(self, refusals: Mapping[int, str]) -> dict[int, str]:
        """With the jobs that are being retried; one query for each generation of retries."""
        return refuse_retried(refusals, but={Refusal.NOT_SUPPORTED})

    def find_clauses(self, accounts: Sequence[AccountFacts]) -> Iterator[Clause]:
        no_submit = find_lacking(accounts, Capability.SUBMIT)
        no_native = find_lacking(accounts, Capability.RESUBMIT)
        neither = [pk for pk in no_submit if pk in no_native]
        if no_submit == neither:
            yield by_account(Refusal.NOT_SUPPORTED, neither)
        else:
            yield Clause(Refusal.NOT_SUPPORTED, None, None)
        # before all that follow
        yield Clause(Refusal.RETRY_RUNNING, None, None)
        # no job that has not ended is among them
        yield Clause(RESOLVED, "status:failed -is:unresolved", "")
        yield Clause(Refusal.NOT_FINISHED, f"-{ENDED}", None)

    def bucket_of(self, adapter: type[Provider]) -> str:
        return "resubmit" if adapter.supports(Capability.RESUBMIT) else "submit"

    def request(self, bulk: BulkAction, job: Job) -> Mapping[str, Any]:
        made = request_resubmit(job, user=bulk.actor, token=bulk.token, is_bulk=True).job
        action = JobAction.objects.filter(job=made, kind=ActionKind.RESUBMIT).first()
        return {"outcome": BulkOutcome.SENT, "new_job": made, "action": action}
