"""At most so many unfinished jobs of ours at a provider's account; what is beyond that waits here.

What counts is read from the rows, so that no kill can leave a count that is wrong: jobs that were
submitted or run again with Reelboard and have not ended, and those of which it is not clear
whether the provider has them. Jobs that others submitted do not count.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from jobs.models import (
    ActionKind,
    ActionState,
    Job,
    JobAction,
    ProviderAccount,
    Submission,
    SubmissionState,
)
from jobs.models.submission import UNCLEAR_STATES
from jobs.workqueue import leases
from providers.core.errors import BudgetExhausted
from providers.core.status import JobStatus

CAP_OPTION = "max_unfinished_jobs"

# Not ended, as far as we know
_AT_PROVIDER = (JobStatus.QUEUED, JobStatus.RUNNING, JobStatus.UNKNOWN)

# What a place at the provider is needed for
WAITING_SUBMISSIONS = Q(state=SubmissionState.DUE)
WAITING_RETRIES = Q(kind=ActionKind.RESUBMIT, state=ActionState.DUE, sent_at__isnull=True)


class AccountFull(BudgetExhausted):
    """No place is left for it: it is due as before, once a job there has ended."""


def cap_of(account: ProviderAccount) -> int | None:
    """How many unfinished jobs the account may have; None for any number."""
    return account.option_int(CAP_OPTION, 0) or None


def read_caps(accounts: Collection[int] | None = None) -> dict[int, int]:
    """The caps of those of `accounts`, or of all, that have one, by id. One query."""
    limited = ProviderAccount.objects.filter(options__has_key=CAP_OPTION).only("options")
    if accounts is not None:
        limited = limited.filter(pk__in=accounts)
    return {account.pk: cap for account in limited if (cap := cap_of(account))}


def read_room() -> dict[int, int]:
    """How many more jobs each account with a cap may have, by id. One query if there is none."""
    caps = read_caps()
    running = count_in_flight(caps)
    return {pk: max(cap - running[pk], 0) for pk, cap in caps.items()}


def count_in_flight(accounts: Collection[int]) -> Counter[int]:
    """The jobs that count, by account. Three queries, each of an index."""
    counts: Counter[int] = Counter()
    if not accounts:
        return counts
    done = Submission.objects.filter(pk=OuterRef("pk"), state=SubmissionState.DONE)
    run_again = JobAction.objects.filter(job=OuterRef("pk"), kind=ActionKind.RESUBMIT)
    at_provider = Job.objects.filter(
        Exists(done) | Exists(run_again), status__in=_AT_PROVIDER, gone_at__isnull=True
    )
    unclear = Submission.objects.filter(state__in=UNCLEAR_STATES)
    sent = JobAction.objects.filter(
        kind=ActionKind.RESUBMIT,
        state=ActionState.DUE,
        sent_at__isnull=False,
        job__status=JobStatus.SUBMITTING,
    )
    found: list[tuple[QuerySet[Any, Any], str]] = [
        (at_provider, "account"),
        (unclear, "account"),
        (sent, "job__account"),
    ]
    for rows, account in found:
        rows = rows.filter(**{f"{account}__in": list(accounts)}).order_by()
        counts.update(dict(rows.values_list(account).annotate(Count("pk"))))
    return counts


@contextmanager
def place_for(item: Submission | JobAction, job: Job) -> Iterator[None]:
    """Around the write that `item`, of `job`, is being sent: hold a place at its account.

    The account is locked meanwhile, so that of two workers the second counts what the first wrote.
    Raises AccountFull where no place is left, or those that are left are for others.
    """
    if cap_of(job.account) is None:
        yield
        return
    with transaction.atomic():
        # in the order that others lock in: a job, what is to be sent for it, its account
        Job.objects.select_for_update(no_key=True).only("pk").get(pk=job.pk)
        leases.held(item).select_for_update(no_key=True).only("pk").first()
        accounts = ProviderAccount.objects.select_for_update(no_key=True).only("options")
        cap = cap_of(accounts.get(pk=job.account_id))
        if cap is not None:
            room = cap - count_in_flight([job.account_id])[job.account_id]
            if room <= 0 or _count_before(item, job, room) >= room:
                raise AccountFull("Waiting for a job at this account to end.")
        yield


def _count_before(item: Submission | JobAction, job: Job, room: int) -> int:
    """How many that could be sent now come before it, up to `room`."""
    now = timezone.now()
    submissions = Submission.objects.due(now).filter(WAITING_SUBMISSIONS, account=job.account_id)
    retries = JobAction.objects.due(now).filter(WAITING_RETRIES, job__account=job.account_id)
    return sum(
        waiting.filter(_before(item.precedence, job.pk)).order_by()[:room].count()
        for waiting in (submissions, retries)
    )


def _before(precedence: int, job_id: int) -> Q:
    """What is sent before a job with this precedence: at the same one, whatever came earlier."""
    return Q(precedence__gt=precedence) | Q(precedence=precedence, job__lt=job_id)


def read_place(submission: Submission) -> int:
    """Its place in the queue of its account: 1 for the next one. One query."""
    waiting = Submission.objects.filter(WAITING_SUBMISSIONS, account=submission.account_id)
    return 1 + waiting.filter(_before(submission.precedence, submission.pk)).count()
