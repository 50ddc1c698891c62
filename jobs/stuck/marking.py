"""Marking the jobs that are stuck, and taking the mark from those that are not any more.

The mark is ours, and about nothing that the provider said: it moves a job's `version`, so that
pages show it, and not `changed_at`. Two runs at once, or one killed, only cost time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, F

from jobs.models import Job, JobEvent, JobPoll, ProviderAccount, UsualTimes
from jobs.stuck.history import usual_times
from jobs.stuck.rule import Found, Situation, Usual, judge
from jobs.stuck.shape import ALL, shape_of, with_output_kind
from providers.core.status import JobStatus

CHUNK = 2_000
# a job so young is not stuck, whatever is usual
YOUNG = timedelta(minutes=5)
LIMIT_OPTION = "stuck_after_min"
DEFAULT_LIMIT_MIN = 24 * 60

_COLUMNS = (
    *("pk", "account_id", "status", "created_at", "first_seen_at", "started_at", "changed_at"),
    *("progress", "output_kind", "outputs_total", "input_duration_ms"),
    *("stuck_status", "stuck_kind"),
)


def mark_stuck(now: datetime) -> None:
    accounts = {
        account.pk: account
        for account in ProviderAccount.objects.defer("credentials", "hook_secret")
        # of the others nothing is known by now: their marks stay
        if account.is_confirming and account.last_success_at is not None
    }
    usual = usual_times(list(accounts))
    for chunk in _read_chunks(list(accounts), now):
        pks = [row["pk"] for row in chunk]
        confirmed = dict(JobPoll.objects.filter(pk__in=pks).values_list("pk", "confirmed_at"))
        restarts = _count_restarts(pks)
        changed = set()
        for row in chunk:
            account = accounts[row["account_id"]]
            found = judge(
                Situation(
                    elapsed_ms=_elapsed_ms(row, now),
                    usual=_usual(row, usual),
                    limit_ms=account.option_int(LIMIT_OPTION, DEFAULT_LIMIT_MIN) * 60_000,
                    still_ms=_still_ms(row, now),
                    unconfirmed_ms=_unconfirmed_ms(account, confirmed.get(row["pk"])),
                    restarts=restarts.get(row["pk"], 0),
                )
            )
            if _write(row, found, now):
                changed.add(account.pk)
        _move_revisions(changed)


def _read_chunks(account_ids: Sequence[int], now: datetime) -> Iterator[list[dict[str, Any]]]:
    """The active jobs that are not young, by the index of active ones."""
    old = Job.objects.filter(
        is_active=True,
        status__in=[JobStatus.QUEUED, JobStatus.RUNNING],
        account__in=account_ids,
        first_seen_at__lte=now - YOUNG,
    ).order_by()
    rows = with_output_kind(old).values(*_COLUMNS)
    last = 0
    while chunk := list(rows.filter(pk__gt=last).order_by("pk")[:CHUNK]):
        yield chunk
        last = chunk[-1]["pk"]


def _count_restarts(pks: Sequence[int]) -> Mapping[int, int]:
    """How often each job came from running back into the queue."""
    events = JobEvent.objects.filter(
        job__in=pks, from_status=JobStatus.RUNNING, to_status=JobStatus.QUEUED
    )
    return dict(events.order_by().values_list("job").annotate(number=Count("pk")))


def _elapsed_ms(row: Mapping[str, Any], now: datetime) -> int | None:
    begun = row["started_at"] if row["status"] == JobStatus.RUNNING else row["created_at"]
    begun = begun or row["first_seen_at"]
    return (now - begun) // timedelta(milliseconds=1) if begun <= now else None


def _usual(row: Mapping[str, Any], known: Mapping[tuple[int, str], UsualTimes]) -> Usual | None:
    if row["status"] == JobStatus.QUEUED:
        # what waits is not looked at yet: only the queue counts
        times = known.get((row["account_id"], ALL))
        found = times and (times.wait_jobs, times.wait_p95_ms)
    else:
        times = known.get((row["account_id"], _shape(row)))
        found = times and (times.run_jobs, times.run_p95_ms)
        if row["started_at"] is None:
            return None
    if not found or found[1] is None:
        return None
    return Usual(found[0], found[1])


def _shape(row: Mapping[str, Any]) -> str:
    return shape_of(row["output_kind"], row["outputs_total"], row["input_duration_ms"])


def _still_ms(row: Mapping[str, Any], now: datetime) -> int | None:
    if row["status"] != JobStatus.RUNNING or row["progress"] is None:
        return None
    return (now - row["changed_at"]) // timedelta(milliseconds=1)


def _unconfirmed_ms(account: ProviderAccount, confirmed_at: datetime | None) -> int:
    if confirmed_at is None or account.last_success_at is None:
        return 0
    return (account.last_success_at - confirmed_at) // timedelta(milliseconds=1)


def _write(row: Mapping[str, Any], found: Found | None, now: datetime) -> bool:
    """Whether the job's mark is another one now."""
    is_marked = row["stuck_status"] == row["status"]
    if found is None and not row["stuck_status"]:
        return False
    if found is not None and is_marked and row["stuck_kind"] == found.kind:
        return False
    values: dict[str, Any] = {
        "stuck_status": row["status"] if found else "",
        "stuck_kind": found.kind if found else "",
        "stuck_at": now if found else None,
        "stuck_limit_ms": found.limit_ms if found else None,
        "stuck_count": found.count if found else None,
    }
    # of a job that moved on meanwhile nothing is said
    same = Job.objects.filter(pk=row["pk"], status=row["status"], is_active=True)
    return bool(same.update(**values, version=F("version") + 1))


def _move_revisions(account_ids: Iterable[int]) -> None:
    """Have open lists count their jobs anew. No job came or went, so none takes the revision."""
    for pk in sorted(account_ids):
        ProviderAccount.objects.filter(pk=pk).update(revision=F("revision") + 1)
