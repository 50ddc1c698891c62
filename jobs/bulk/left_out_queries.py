"""Queries that find just the jobs that a bulk action leaves out for one reason."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from jobs.actions.offers import Refusal
from jobs.bulk.left_out import RESOLVED, AccountFacts
from jobs.models import BulkKind
from jobs.query.parameters import MAX_TEXT
from providers.core import registry
from providers.core.status import TERMINAL, JobStatus
from providers.core.types import Capability

ENDED = f"status:{','.join(sorted(TERMINAL))}"


class Clause(NamedTuple):
    """`found` finds jobs that fit the reason, `others` those that do not; None: no query does."""

    reason: str
    found: str | None
    others: str | None


def find_queries(
    query: str, kind: BulkKind, accounts: Sequence[AccountFacts], left_out: Mapping[str, int]
) -> dict[str, str]:
    """By reason, of those in `left_out`; without the reasons that no query says exactly.

    A job has the first reason that fits, as in jobs.bulk.left_out: each query leaves out what the
    reasons before its own find.
    """
    queries = {}
    clauses = _cancel_clauses(accounts) if kind == BulkKind.CANCEL else _retry_clauses(accounts)
    before = [f"({query})"] if query else []
    for reason, found, others in clauses:
        count = left_out.get(reason, 0)
        if count and found is not None:
            queries[reason] = " ".join([*before, found])
        if count and others is None:
            break
        # where none is counted, the sending ones of a cancel are acted on
        if others and (count or reason == Refusal.BEING_SENT):
            before.append(others)
        if reason == Refusal.NOT_SUPPORTED and left_out.get(Refusal.RETRY_RUNNING):
            break  # it comes before all that follow
    return {reason: text for reason, text in queries.items() if len(text) <= MAX_TEXT}


def _cancel_clauses(accounts: Sequence[AccountFacts]) -> Iterator[Clause]:
    yield Clause(Refusal.BEING_SENT, None, f"-status:{JobStatus.SUBMITTING}")
    yield _by_account(Refusal.NOT_SUPPORTED, _lacking(accounts, Capability.CANCEL))
    yield Clause(Refusal.FINISHED, ENDED, f"-{ENDED}")
    yield Clause(Refusal.NOT_CURRENT, None, None)
    yield Clause(Refusal.GONE, "is:gone", "-is:gone")
    yield Clause(Refusal.NOT_ACCEPTED, None, None)
    yield Clause(Refusal.WRONG_STATUS, None, None)
    yield _by_account(Refusal.PAUSED, [one.pk for one in accounts if not one.enabled])


def _retry_clauses(accounts: Sequence[AccountFacts]) -> Iterator[Clause]:
    no_submit = _lacking(accounts, Capability.SUBMIT)
    neither = [pk for pk in no_submit if pk in _lacking(accounts, Capability.RESUBMIT)]
    if no_submit == neither:
        yield _by_account(Refusal.NOT_SUPPORTED, neither)
    else:
        yield Clause(Refusal.NOT_SUPPORTED, None, None)
    # no job that has not ended is among them
    yield Clause(RESOLVED, "status:failed -is:unresolved", "")
    yield Clause(Refusal.NOT_FINISHED, f"-{ENDED}", None)


def _by_account(reason: str, ids: Sequence[int]) -> Clause:
    if not ids:
        return Clause(reason, None, None)
    text = f"account:{','.join(map(str, ids))}"
    return Clause(reason, text, f"-{text}")


def _lacking(accounts: Iterable[AccountFacts], capability: Capability) -> list[int]:
    return [
        one.pk for one in accounts if not registry.get_or_removed(one.provider).supports(capability)
    ]
