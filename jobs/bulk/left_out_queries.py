"""Queries that find just the jobs that a bulk action leaves out for one reason."""

from collections.abc import Mapping, Sequence

from jobs.actions.offers import Refusal
from jobs.bulk.actions.base import Action
from jobs.bulk.left_out import AccountFacts, base_of
from jobs.query.parameters import MAX_TEXT


def find_queries(
    query: str, action: Action, accounts: Sequence[AccountFacts], left_out: Mapping[str, int]
) -> dict[str, str]:
    """By reason, of those in `left_out`; without the reasons that no query says exactly.

    A job has the first reason that fits, as in `Action.refuse`: each query leaves out what the
    reasons before its own find.
    """
    queries = {}
    before = [f"({query})"] if query else []
    for reason, found, others in action.find_clauses(accounts):
        keys = [key for key in left_out if base_of(key) == reason and left_out[key]]
        for key in keys if found is not None else ():
            _, _, named = key.partition(":")
            if named or "{id}" not in str(found):
                queries[key] = " ".join([*before, str(found).replace("{id}", named)])
        if keys and others is None:
            break
        # where none is counted, the sending ones of a cancel are acted on
        if others and (keys or reason == Refusal.BEING_SENT):
            before.append(others)
    return {reason: text for reason, text in queries.items() if len(text) <= MAX_TEXT}
