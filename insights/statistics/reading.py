"""Reading statistics: from the sums where these know what is asked for, else from the jobs."""

import time
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any

from django.db.models import Q, Sum, Value

from insights.models import ErrorRollup, OutcomeRollup, PresetRollup
from insights.rollups.facts import Quarter, count_presets, ended, sum_up
from insights.rollups.spans import Window
from insights.statistics.filter import StatsFilter
from insights.statistics.plan import Plan, make_plan
from insights.statistics.tally import Bucket, Outcomes, Tally
from jobs.query.paging import windows
from jobs.query.paging.orderings import Ordering
from jobs.query.search.searches import find_few
from jobs.query.visibility import Visibility
from providers.core.status import JobStatus


@dataclass(frozen=True, slots=True)
class Statistics:
    """`is_complete`: whether all jobs are counted that are asked for, as they are now.

    `by_account` are jobs by the place of their bucket, account and outcome. `errors` are failed
    jobs by error class and account, `presets` jobs by preset and outcome; both are empty unless
    they were asked for.
    """

    buckets: list[Bucket]
    is_complete: bool
    by_account: Mapping[tuple[int, int, str], int]
    errors: Mapping[tuple[str, int], int]
    presets: Mapping[tuple[int, str], int]

    @property
    def total(self) -> Outcomes:
        return reduce(add, (bucket.outcomes for bucket in self.buckets), Outcomes())


def read_statistics(
    visible: Visibility, filters: StatsFilter, *, with_causes: bool = False
) -> Statistics:
    """What is asked for of what is `visible`; `with_causes`: errors and presets, too.

    From the sums it takes a few queries, whatever the number of jobs. What these do not distinguish
    is searched for in the jobs, the last ones first, for `windows.SEARCH_S` at most.
    """
    if filters.is_unreadable:
        return Statistics([], True, {}, {}, {})
    tally, limits = Tally(filters.buckets), filters.limits
    if filters.is_summed_up:
        zone = filters.zone if filters.group == "day" else None
        plan = make_plan(visible.organization, limits, zone)
    else:
        plan = Plan(jobs=(limits,) if limits[0] < limits[1] else ())
    if plan.is_from_sums:
        _add_sums(tally, plan, visible, filters, with_causes=with_causes)
    is_searched = _add_jobs(tally, plan.jobs, visible, filters, with_causes=with_causes)
    causes: tuple[Counter[tuple[str, int]], Counter[tuple[int, str]]] = (Counter(), Counter())
    if with_causes:
        causes = tally.errors, tally.presets
    is_complete = plan.is_settled and is_searched
    return Statistics(tally.buckets(), is_complete, tally.by_account, *causes)


def _add_sums(
    tally: Tally, plan: Plan, visible: Visibility, filters: StatsFilter, *, with_causes: bool
) -> None:
    jobs = filters.jobs
    rows = Q(organization=visible.organization) & plan.condition
    accounts = jobs.account_ids if jobs.account_ids is not None else visible.account_ids
    if accounts is not None:
        rows &= Q(account__in=sorted(accounts))
    statuses = {status.value for status in jobs.status}
    columns = ("account_id", "jobs", "output_ms", "wait", "run")
    errors = ErrorRollup.objects.filter(rows)
    if jobs.error:
        errors = errors.filter(error_class__in=jobs.error_classes)
    if statuses and JobStatus.FAILED not in statuses:
        errors = errors.none()
    if jobs.error:
        failed = Value(JobStatus.FAILED.value)
        found: Any = errors.annotate(status=failed).values_list(Quarter("at"), "status", *columns)
    else:
        outcomes = OutcomeRollup.objects.filter(rows)
        if statuses:
            outcomes = outcomes.filter(status__in=sorted(statuses))
        found = outcomes.values_list(Quarter("at"), "status", *columns)
    tally.add_rows(found)
    if not with_causes:
        return
    counted = errors.order_by().values_list("error_class", "account_id").annotate(Sum("jobs"))
    for error_class, account, number in counted:
        tally.errors[error_class, account] += number
    # which errors jobs with a preset had is not kept
    presets = PresetRollup.objects.filter(rows) if not jobs.error else PresetRollup.objects.none()
    if statuses:
        presets = presets.filter(status__in=sorted(statuses))
    used = presets.order_by().values_list("preset_id", "status").annotate(Sum("jobs"))
    for preset, status, number in used:
        tally.presets[preset, status] += number


def _add_jobs(
    tally: Tally,
    spans: Iterable[Window],
    visible: Visibility,
    filters: StatsFilter,
    *,
    with_causes: bool,
) -> bool:
    """Whether the time was enough to look at all of them."""
    deadline = time.monotonic() + windows.SEARCH_S
    condition = filters.jobs.condition
    rows = filters.jobs.apply_without_condition(visible.jobs())
    # few jobs that an index has found are looked at all at once
    are_few = find_few(condition) is not None
    for span in spans:
        jobs = ended(rows, *span)
        if are_few:
            parts: Iterable[windows.Window] = [windows.Window(jobs, None)]
        else:
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                return False
            parts = windows.go_through(jobs, Ordering("finished"), None, left_s)
        for part in parts:
            fitting = part.rows.filter(condition)
            tally.add_jobs(sum_up(fitting))
            if with_causes:
                tally.add_presets(count_presets(fitting))
        if part.end is not None:
            return False
    return True
