"""Attempts under one remote id: a native resubmit opens the next one."""

from typing import Any

from django.db import transaction
from django.db.models import F, Max, QuerySet
from django.utils import timezone

from jobs.mirror.failures.groups import refresh_group
from jobs.mirror.failures.resolved import settle_retries
from jobs.mirror.rules import merge
from jobs.mirror.rules.times import observed_end
from jobs.mirror.search import refresh_search, write_search
from jobs.mirror.statements import JOB_COLUMNS
from jobs.models import EventSource, Job, JobEvent, JobPoll
from organizations.models import Actor, ApiToken, User
from providers.core.errors import ProviderError
from providers.core.status import JobStatus

# what an attempt shares with the one before it, beside its input
COPIED = frozenset(
    {
        "organization",
        "account",
        "remote_id",
        "batch",
        "name",
        "is_named",
        "metadata",
        "request",
        "template_version",
        "is_test",
        "is_clip",
        "priority",
        "console_url",
    }
)


def next_attempt(attempts: QuerySet[Job]) -> int:
    """The number of the attempt after `attempts`, all those of one remote id."""
    newest: int = attempts.aggregate(newest=Max("attempt"))["newest"] or 0
    return newest + 1


def open_attempt(
    job: Job, *, source: EventSource, actor: User | None = None, token: ApiToken | None = None
) -> Job:
    """Freeze `job` and open the attempt after it, which the provider is about to be asked for.

    Nothing of the job itself changes, so its `changed_at` stays. Calling it again for the same
    job returns the attempt that is there.
    """
    attempts = Job.objects.filter(account=job.account_id, remote_id=job.remote_id)
    with transaction.atomic():
        frozen = Job.objects.filter(pk=job.pk, is_newest=True)
        if not frozen.update(is_newest=False, version=F("version") + 1):
            return attempts.get(is_newest=True)
        attempt = _create_attempt(job, next_attempt(attempts), actor, token)
        write_search([(attempt, [])])
        message = f"Attempt {attempt.attempt}"
        JobEvent.build(attempt, source, "", attempt.status, message, actor or token).save()
    return attempt


def _create_attempt(job: Job, number: int, actor: User | None, token: ApiToken | None) -> Job:
    now = timezone.now()
    revision = job.account.next_revision()
    return Job.objects.create(
        **{
            name: getattr(job, name)
            for name in JOB_COLUMNS
            if name.startswith("input_") or name in COPIED
        },
        first_seen_revision=revision,
        status_revision=revision,
        attempt=number,
        retry_of=job,
        status=JobStatus.SUBMITTING,
        submitted_by=actor,
        submitted_token=token,
        created_at=now,
        first_seen_at=now,
        changed_at=now,
        sort_at=now,
    )


def confirm_attempt(attempt: Job, *, source: EventSource, actor: Actor | None) -> None:
    """The provider runs the job again: what is read from now on is about `attempt`."""
    now = timezone.now()
    with transaction.atomic():
        if not _end_wait(attempt, status=JobStatus.QUEUED, observed_at=now):
            return  # a pass has seen it run
        JobPoll.objects.get_or_create(
            job=attempt,
            defaults={"account_id": attempt.account_id, "confirmed_at": now, "next_at": now},
        )
        JobEvent.build(attempt, source, JobStatus.SUBMITTING, JobStatus.QUEUED, "", actor).save()
        _move_revision(attempt)


def fail_attempt(
    attempt: Job, error: ProviderError, *, source: EventSource, actor: Actor | None
) -> None:
    """The provider does not run the job again: its updates belong to the attempt before."""
    now = timezone.now()
    columns = merge.failure_columns(error)
    with transaction.atomic():
        if not _end_wait(attempt, status=JobStatus.FAILED, **columns, **observed_end(now)):
            return
        before = attempt.retry_of
        if before is not None and before.remote_id == attempt.remote_id:
            Job.objects.filter(pk=attempt.pk).update(is_newest=False)
            Job.objects.filter(pk=before.pk).update(is_newest=True, version=F("version") + 1)
        message = f"{columns['error_class']}: {columns['error_message']}"
        JobEvent.build(
            attempt, source, JobStatus.SUBMITTING, JobStatus.FAILED, message, actor
        ).save()
        _move_revision(attempt)
        refresh_search([attempt.pk])
        refresh_group(attempt.pk, now)
        settle_retries([attempt], now)


def _end_wait(attempt: Job, **values: Any) -> bool:
    """Write `values` while the resubmit is not confirmed; whether it still was not."""
    waiting = Job.objects.filter(pk=attempt.pk, status=JobStatus.SUBMITTING)
    return bool(waiting.update(**values, changed_at=timezone.now(), version=F("version") + 1))


def _move_revision(attempt: Job) -> None:
    revision = attempt.account.next_revision()
    Job.objects.filter(pk=attempt.pk).update(status_revision=revision)
