"""What a rule would have done: the failures of the last 30 days that it would have retried."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple

from django.db.models import BooleanField, ExpressionWrapper, Q
from django.db.models.functions import Coalesce

from jobs.models import AutomaticRetry, Job, RetryRule
from jobs.query.search.matches import are_among
from jobs.retry_rules.matching import Failures, failures
from providers.core.status import JobStatus

PERIOD = timedelta(days=30)
# How many failures are looked at, and how many of them counted, the newest first: so it takes a
# second or two at a million jobs, whatever they are.
MAX_SEARCHED = 50_000
MAX_COUNTED = 10_000


class Failure(NamedTuple):
    """A failure that the rule is for."""

    pk: int
    account: int
    failed_at: datetime
    heard_at: datetime
    depth: int
    is_newest: bool
    succeeded: bool


@dataclass(frozen=True, slots=True)
class DryRun:
    """`jobs`: the ids of the failures that would have been retried, newest first.

    Of these, `retried` were retried by people, and of these `succeeded` had a later attempt that
    succeeded. `over_limit` more are left out by the daily number. `since` is how far back this
    goes: less than 30 days where there are too many failures to count.
    """

    jobs: Sequence[int]
    retried: int
    succeeded: int
    over_limit: int
    since: datetime
    is_complete: bool

    @property
    def count(self) -> int:
        return len(self.jobs)

    @property
    def not_retried(self) -> int:
        """How many nobody retried, so that nobody knows what a retry would have come to."""
        return self.count - self.retried


def dry_run(rule: RetryRule, now: datetime) -> DryRun:
    """Try the rule, which may be unsaved, on what has failed. Writes nothing."""
    since = now - PERIOD
    searched, is_complete = _bound(rule, since)
    if not is_complete:
        since = searched
    found = list(map(Failure._make, _read(rule, since)[: MAX_COUNTED + 1]))
    if len(found) > MAX_COUNTED:
        found.pop()
        is_complete, since = False, found[-1].failed_at
    retries = _find_retries(found)
    # an attempt that the provider refused to begin is not retried: the one before it is current
    found = [one for one in found if one.is_newest or one.pk in retries]
    kept = _within_limit(rule, found)
    named = [one for one in found if one.pk in kept]
    by_people = {pk for pk, is_by_people in retries.items() if is_by_people}
    return DryRun(
        jobs=[one.pk for one in named],
        retried=sum(one.pk in by_people for one in named),
        succeeded=sum(one.succeeded and one.pk in by_people for one in named),
        over_limit=len(found) - len(named),
        since=since,
        is_complete=is_complete,
    )


def _bound(rule: RetryRule, since: datetime) -> tuple[datetime, bool]:
    """Since when no more than MAX_SEARCHED jobs failed, and whether that is all of the time."""
    failed = Job.objects.filter(organization=rule.organization_id, status=JobStatus.FAILED)
    recent = failed.annotate(failed_at=Coalesce("ended_at", "sort_at")).filter(failed_at__gte=since)
    times = recent.order_by("-failed_at", "-pk").values_list("failed_at", flat=True)
    last: list[datetime] = list(times[MAX_SEARCHED : MAX_SEARCHED + 1])
    return (last[0], False) if last else (since, True)


def _read(rule: RetryRule, since: datetime) -> Failures:
    found = failures(rule).filter(failed_at__gte=since)
    return found.order_by("-failed_at", "-pk").values_list(
        "pk",
        "account",
        "failed_at",
        "heard_at",
        "depth",
        "is_newest",
        ExpressionWrapper(Q(resolved_by__isnull=False), BooleanField()),
    )


def _find_retries(found: Sequence[Failure]) -> dict[int, bool]:
    """By failure that was retried: whether a person did, and not only a rule. Two queries."""
    ids = sorted(one.pk for one in found)
    retries = Job.objects.filter(are_among(ids, "retry_of_id")).values_list("pk", "retry_of_id")
    pairs = [(pk, failure) for pk, failure in retries if failure is not None]
    made = AutomaticRetry.objects.filter(are_among([pk for pk, _ in pairs], "new_job_id"))
    by_rule = set(made.values_list("new_job_id", flat=True))
    retried: dict[int, bool] = {}
    for pk, failure in pairs:
        retried[failure] = retried.get(failure, False) or pk not in by_rule
    return retried


def _within_limit(rule: RetryRule, found: Sequence[Failure]) -> set[int]:
    """Those that the daily number leaves, in the order in which they would have been retried."""
    due = sorted((one.heard_at + rule.delay(one.depth + 1), one.pk, one.account) for one in found)
    made: Counter[tuple[int, date]] = Counter()
    kept: set[int] = set()
    for at, pk, account in due:
        day = (account, at.astimezone(rule.zone).date())
        if made[day] < rule.daily_limit:
            made[day] += 1
            kept.add(pk)
    return kept
