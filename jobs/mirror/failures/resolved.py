"""Which failures a later attempt has fixed.

Attempts form a tree: a job may be retried natively, as a new linked job, at another account, and
each of these again. A failed job is resolved by the first attempt after it that succeeded.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from django.db.models import F

from jobs.models import Job, ProviderAccount
from providers.core.status import JobStatus

# A retry changes nothing elsewhere while it waits or runs.
OUTCOMES = (JobStatus.SUCCEEDED, JobStatus.FAILED)


class Attempt(NamedTuple):
    pk: int
    retry_of: int | None
    status: str
    resolved_by: int | None
    account: int


def settle_retries(jobs: Iterable[Job], now: datetime) -> None:
    """Recompute `resolved_by` in the trees of `jobs`, whose outcome has changed.

    Call it inside the transaction that wrote the change. The root of each tree is locked first:
    of two workers that end two attempts of one tree, the second sees what the first wrote.
    """
    roots = _roots(_linked(list(jobs)))
    if not roots:
        return
    list(Job.objects.select_for_update(no_key=True).filter(pk__in=roots).order_by("pk").only("pk"))
    changed: set[int] = set()
    for tree in _trees(roots):
        for attempt in tree.values():
            resolver = _resolver(attempt, tree)
            if resolver != attempt.resolved_by:
                Job.objects.filter(pk=attempt.pk).update(
                    resolved_by=resolver, changed_at=now, version=F("version") + 1
                )
                changed.add(attempt.account)
    for account in sorted(changed):
        ProviderAccount.objects.filter(pk=account).update(revision=F("revision") + 1)


def _linked(jobs: list[Job]) -> set[int]:
    """Those of `jobs` that are a retry or have been retried. Most have no part in either."""
    children = Job.objects.filter(retry_of__in=[job.pk for job in jobs])
    retried = set(children.values_list("retry_of", flat=True)) if jobs else set()
    return {job.pk for job in jobs if job.retry_of_id or job.pk in retried}


def _roots(edge: set[int]) -> set[int]:
    roots: set[int] = set()
    seen: set[int] = set()
    while edge:
        seen |= edge
        parents = dict(Job.objects.filter(pk__in=edge).values_list("pk", "retry_of"))
        roots |= {pk for pk, parent in parents.items() if parent is None}
        edge = {parent for parent in parents.values() if parent is not None} - seen
    return roots


def _trees(roots: set[int]) -> list[dict[int, Attempt]]:
    """Each tree as its attempts by id, parents before their retries."""
    rows = Job.objects.values_list("pk", "retry_of", "status", "resolved_by", "account")
    trees = {row.pk: {row.pk: row} for row in map(Attempt._make, rows.filter(pk__in=roots))}
    root_of = {root: root for root in trees}
    edge = set(trees)
    while edge:
        found = [*map(Attempt._make, rows.filter(retry_of__in=edge).order_by("pk"))]
        for row in found:
            root_of[row.pk] = root_of[row.retry_of or 0]
            trees[root_of[row.pk]][row.pk] = row
        edge = {row.pk for row in found}
    return list(trees.values())


def _resolver(attempt: Attempt, tree: dict[int, Attempt]) -> int | None:
    if attempt.status != JobStatus.FAILED:
        return None
    successes = [one for one in tree.values() if one.status == JobStatus.SUCCEEDED]
    later = [one.pk for one in successes if one.pk > attempt.pk or _descends(one, attempt, tree)]
    return min(later, default=None)


def _descends(attempt: Attempt, ancestor: Attempt, tree: dict[int, Attempt]) -> bool:
    """A submission that took over the row of its job may be older than what it is a retry of."""
    while attempt.retry_of is not None:
        if attempt.retry_of == ancestor.pk:
            return True
        attempt = tree[attempt.retry_of]
    return False
