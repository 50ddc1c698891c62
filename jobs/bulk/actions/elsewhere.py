"""Retrying jobs at another account, each in the terms of that account's provider."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Q, When

from jobs.actions.elsewhere.service import Elsewhere, request_elsewhere, translate_job
from jobs.actions.elsewhere.translation import Line, Translation
from jobs.actions.offers import Refusal
from jobs.bulk.actions.base import Action, Words
from jobs.bulk.actions.sampling import Sample, take_sample
from jobs.bulk.left_out import (
    ENDED,
    RESOLVED,
    SAME_ACCOUNT,
    AccountFacts,
    Clause,
    by_account,
    refuse,
    refuse_retried,
)
from jobs.models import BulkAction, BulkKind, BulkOutcome, Job
from providers.core.contract import Provider
from providers.core.status import TERMINAL

# of a target's reason
MAX_REASON = 500


class RetryElsewhere(Action):
    KIND = BulkKind.RESUBMIT_ELSEWHERE
    WORDS = Words(
        question="Retry {jobs} at another account?",
        button="Retry {jobs}",
        participle="retried there",
        title="Retry of {jobs} at another account",
        explanation="A new job is made of each, in the terms of the other account’s provider, and "
        "linked to it. The old one stays as it is.",
        cost="Providers charge for each as for any new job.",
    )
    MAKES_JOBS = True

    @classmethod
    def find_asked(cls, bulk: BulkAction) -> list[int]:
        return [bulk.target_account_id] if bulk.target_account_id else []

    def find_asked_for(self, account_id: int) -> int:
        return self.options.account.pk if self.options.account else account_id

    def refuse(self, accounts: Sequence[AccountFacts]) -> list[When]:
        account = self.options.account
        return [
            refuse(Q(account=account.pk if account else None), SAME_ACCOUNT),
            refuse(Q(resolved_by__isnull=False), RESOLVED),
            refuse(~Q(status__in=sorted(TERMINAL)), Refusal.NOT_FINISHED),
            refuse(Q(request__isnull=True), Refusal.NOT_SUBMITTED_HERE),
            refuse(Q(is_newest=False), Refusal.NOT_CURRENT),
        ]

    def refuse_more(self, refusals: Mapping[int, str]) -> dict[int, str]:
        """With the jobs that are being retried; one query for each generation of retries."""
        return refuse_retried(refusals, but={SAME_ACCOUNT})

    def find_clauses(self, accounts: Sequence[AccountFacts]) -> Iterator[Clause]:
        account = self.options.account
        yield by_account(SAME_ACCOUNT, [account.pk] if account else [])
        # before all that follow
        yield Clause(Refusal.RETRY_RUNNING, None, None)
        # no job that has not ended is among them
        yield Clause(RESOLVED, "status:failed -is:unresolved", "")
        yield Clause(Refusal.NOT_FINISHED, f"-{ENDED}", None)

    def bucket_of(self, adapter: type[Provider]) -> str:
        return "submit"

    def why_impossible(self) -> str:
        return "" if self.options.account else "The account has been deleted."

    def sample(self, job_ids: Sequence[int]) -> Sample | None:
        return take_sample(self.aim(), job_ids) if self.options.account else None

    def title(self, jobs: str) -> str:
        account = self.options.account
        return f"Retry of {jobs} at {account.name}" if account else super().title(jobs)

    def request(self, bulk: BulkAction, job: Job) -> Mapping[str, Any]:
        target = self.aim(bulk.reason)
        changes = describe_changes(translate_job(job, target))
        made = request_elsewhere(job, target, user=bulk.actor, token=bulk.token, is_bulk=True).job
        return {"outcome": BulkOutcome.SENT, "new_job": made, "reason": changes[:MAX_REASON]}

    def aim(self, reason: str = "") -> Elsewhere:
        """Where each job goes."""
        assert self.options.account is not None  # noqa: S101 - tells mypy: see why_impossible
        return Elsewhere(self.options.account, self.options.presets, reason=reason)


def describe_changes(translation: Translation) -> str:
    """What is different at the other account: one line, empty where nothing is."""
    parts = [("Approximated", translation.approximated), ("Left out", translation.dropped)]
    return " ".join(
        f"{label}: {'; '.join(map(_describe, lines))}." for label, lines in parts if lines
    )


def _describe(line: Line) -> str:
    return f"{line.before} → {line.after}" if line.after else line.before
