"""How many jobs are behind each tab of a list, counted no further than a cap."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from django.core.cache import cache
from django.db import models
from django.db.models import IntegerField, Q, QuerySet, Subquery

from jobs.models import Job, JobErrorGroup, ProviderAccount
from jobs.models.mirror.job import JobQuerySet
from jobs.query.jobs import JobFilter
from organizations.models import Organization
from providers.core.status import ACTIVE, JobStatus

COUNT_CAP = 1_000
# What a count in the cache may be behind, where a job was deleted or a relative time moved on
KEPT_S = 30


@dataclass(frozen=True, slots=True)
class Count:
    """A number of rows; `capped` when there are more than `value`."""

    value: int
    capped: bool = False


class RowCount(Subquery):
    """The number of rows of a query, as a value."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) counted)"
    output_field = IntegerField()
    empty_result_set_value = 0


def shared_tab_counts(
    jobs: JobQuerySet, filters: JobFilter, revision: str, *, is_poll: bool
) -> dict[str, Count] | None:
    """The counts beside `filters`, which polls of all pages share until the `revision` changes.

    None where no index serves the filters: counting would read every job.
    """
    if not filters.is_served:
        return None
    scope = json.dumps([filters.scope_without("status", "unresolved"), revision])
    key = f"tabs:{blake2b(scope.encode(errors='replace'), digest_size=16).hexdigest()}"
    known = cache.get(key) if is_poll else None
    if known is None:
        beside = filters.apply_beside_tab(jobs)
        known = tab_counts(beside, filters.gone, are_few=filters.are_few)
        cache.set(key, known, KEPT_S)
    return known


def tab_counts(
    queryset: QuerySet[Job],
    gone: bool | None = None,
    cap: int = COUNT_CAP,
    *,
    are_few: bool = False,
) -> dict[str, Count]:
    """How many jobs are behind each tab, in one query; each part of it stops beyond `cap`.

    Where they `are_few`, all are counted at once: the planner would go through every job of a
    status for those that are among some ids.

    Each job is in one part: its status, or `resolved` for a failure that a later attempt fixed, or
    `gone` for an active job that is gone, where these are not asked for.
    """
    conditions = {status.value: Q(status=status) for status in JobStatus}
    # the status is named with them for SQLite, which without statistics prefers the longer index
    conditions["failed"] = Q(status=JobStatus.FAILED, is_unresolved=True)
    conditions["resolved"] = Q(status=JobStatus.FAILED, resolved_by__isnull=False)
    if gone is not True:
        conditions |= {status.value: Q(status=status, is_active=True) for status in ACTIVE}
    if gone is None:
        conditions["gone"] = Q(status__in=sorted(ACTIVE), gone_at__isnull=False)
    if are_few:
        parts = {
            name: models.Count("pk", filter=condition) for name, condition in conditions.items()
        }
        found = queryset.order_by().aggregate(**parts)
    else:
        found = count_each(
            {
                name: queryset.filter(condition).order_by().values("pk")[: cap + 1]
                for name, condition in conditions.items()
            }
        )
    return {name: Count(min(number, cap), number > cap) for name, number in found.items()}


def count_each(querysets: Mapping[str, QuerySet[Any, Any]]) -> dict[str, int]:
    """The number of rows of each, in one query; a row of any table carries them."""
    counts = [RowCount(rows) for rows in querysets.values()]
    row = Organization.objects.order_by("pk").values_list(*counts).first()
    return dict(zip(querysets, row, strict=True)) if row else dict.fromkeys(querysets, 0)


@dataclass(frozen=True, slots=True)
class ActiveJobs:
    """How many jobs of an account wait at the provider, and how many run."""

    queued: int
    running: int


def count_active(accounts: Sequence[ProviderAccount]) -> dict[int, ActiveJobs]:
    """By account, in one query, which reads the index of active jobs: they are few."""
    active = Job.objects.filter(
        organization__in={account.organization_id for account in accounts},
        account__in=accounts,
        status__in=[JobStatus.QUEUED, JobStatus.RUNNING],
        is_active=True,
    )
    rows = active.values_list("account", "status").annotate(jobs=models.Count("pk")).order_by()
    counts = Counter({(pk, status): jobs for pk, status, jobs in rows})
    return {
        account.pk: ActiveJobs(
            counts[account.pk, JobStatus.QUEUED], counts[account.pk, JobStatus.RUNNING]
        )
        for account in accounts
    }


def count_like(group: JobErrorGroup, cap: int = COUNT_CAP) -> Count:
    """How many jobs failed with the error that people see `group` as a part of. One query."""
    root = group.root_id
    groups = JobErrorGroup.objects.filter(Q(pk=root) | Q(merged_into=root)).values("pk")
    failed = Job.objects.filter(error_group__in=groups).order_by()
    number = failed.values("error_group")[: cap + 1].count()
    return Count(min(number, cap), number > cap)


def total(counts: Iterable[Count], cap: int = COUNT_CAP) -> Count:
    counts = list(counts)
    found = sum(count.value for count in counts)
    return Count(min(found, cap), found > cap or any(count.capped for count in counts))


def count_found(filters: JobFilter, counts: Mapping[str, Count]) -> Count:
    """How many jobs the list has, from the counts of `tab_counts`."""
    names: set[str] = {*filters.status} or {*counts}
    if JobStatus.FAILED in names:
        names.add("resolved")
    if filters.unresolved is not None:
        names = names & {"failed"} if filters.unresolved else names - {"failed"}
    return total(counts[name] for name in names)
