"""How long an account's jobs usually took: worked out now and then from those that ended well."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db import transaction

from jobs.models import Job, ProviderAccount, UsualTimes
from jobs.stuck.shape import shape_of, wider, with_output_kind
from providers.core.status import JobStatus

# Older ones ran on other machines, with other settings.
SPAN = timedelta(days=90)
MAX_JOBS = 5_000
# With fewer, nothing is called usual.
MIN_COMPARABLE = 20


@dataclass(slots=True)
class _Times:
    runs: list[int] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)


def learn_usual_times(now: datetime) -> None:
    """Work out the usual times of each account. Two at once, or one killed, only cost time."""
    for account_id in ProviderAccount.objects.values_list("pk", flat=True).order_by("pk"):
        learn_of_account(account_id, now)


def learn_of_account(account_id: int, now: datetime) -> None:
    rows = list(_read(account_id, now).items())
    with transaction.atomic():
        # one writer at a time; an account that was just deleted has none
        if (
            not ProviderAccount.objects.select_for_update(no_key=True)
            .filter(pk=account_id)
            .exists()
        ):
            return
        UsualTimes.objects.filter(account=account_id).delete()
        UsualTimes.objects.bulk_create(
            [_summarize(account_id, shape, times) for shape, times in rows]
        )


def usual_times(account_ids: Sequence[int]) -> dict[tuple[int, str], UsualTimes]:
    """By account and shape, where there are enough jobs. One query."""
    found = UsualTimes.objects.filter(account__in=account_ids)
    return {(row.account_id, row.shape): row for row in found}


def _read(account_id: int, now: datetime) -> Mapping[str, _Times]:
    jobs = Job.objects.filter(
        account=account_id,
        status=JobStatus.SUCCEEDED,
        ended_at__gte=now - SPAN,
        started_at__isnull=False,
        finished_at__isnull=False,
    )
    columns = ("output_kind", "outputs_total", "input_duration_ms")
    latest = (
        with_output_kind(jobs)
        .order_by("-ended_at", "-pk")
        .values_list(*columns, "created_at", "started_at", "finished_at")[:MAX_JOBS]
    )
    found: defaultdict[str, _Times] = defaultdict(_Times)
    for kind, outputs, input_ms, created_at, started_at, finished_at in latest:
        for shape in wider(shape_of(kind, outputs, input_ms)):
            times = found[shape]
            if finished_at >= started_at:
                times.runs.append(_milliseconds(finished_at - started_at))
            if created_at and started_at >= created_at:
                times.waits.append(_milliseconds(started_at - created_at))
    return {
        shape: times
        for shape, times in found.items()
        if max(len(times.runs), len(times.waits)) >= MIN_COMPARABLE
    }


def _summarize(account_id: int, shape: str, times: _Times) -> UsualTimes:
    runs, waits = sorted(times.runs), sorted(times.waits)
    return UsualTimes(
        account_id=account_id,
        shape=shape,
        run_jobs=len(runs),
        run_p25_ms=percentile(runs, 25),
        run_p50_ms=percentile(runs, 50),
        run_p90_ms=percentile(runs, 90),
        run_p95_ms=percentile(runs, 95),
        wait_jobs=len(waits),
        wait_p50_ms=percentile(waits, 50),
        wait_p95_ms=percentile(waits, 95),
    )


def percentile(ordered: Sequence[int], percent: int) -> int | None:
    """What `percent` of `ordered` are no longer than; None where they are too few."""
    if len(ordered) < MIN_COMPARABLE:
        return None
    return ordered[-(-len(ordered) * percent // 100) - 1]


def _milliseconds(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
