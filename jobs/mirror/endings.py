"""Ends of jobs that no payload reports: gone at the provider, refused by it, or never sent."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from jobs.mirror.failures.groups import refresh_group
from jobs.mirror.failures.resolved import settle_retries
from jobs.mirror.rules import merge
from jobs.mirror.rules.times import observed_end
from jobs.mirror.search import refresh_search
from jobs.models import EventSource, Job, JobEvent, JobPoll, ProviderAccount
from jobs.models.mirror.job import UNREAD
from organizations.models import Actor
from providers.core.errors import ProviderError
from providers.core.status import JobStatus, OutputStatus

UNFINISHED_OUTPUTS = (OutputStatus.QUEUED, OutputStatus.RUNNING, OutputStatus.UNKNOWN)

# what a job that is gone may change of
GONE_COLUMNS = (
    "status", "status_revision", "gone_at", "observed_at", "observed_finished_at", "ended_at",
    "ended_at_source", "changed_at", "version",
)  # fmt: skip


def mark_gone(
    account: ProviderAccount,
    job: Job,
    *,
    source: EventSource,
    observed_at: datetime,
    took_cancel: bool = False,
    actor: Actor | None = None,
    reason: str = "",
) -> bool:
    """Record that the provider no longer knows `job`; False when we know something newer.

    Its status stays what it last was, but for an unfinished job that vanished right after the
    provider took our cancel (`took_cancel`): that one is cancelled. `reason` is for its history,
    instead of the usual sentence.
    """
    with transaction.atomic():
        row = _find_known(job, observed_at)
        if row is None:
            return False
        before = row.status
        if took_cancel and not row.is_terminal:
            _cancel(row, observed_at)
        message = reason or _describe_gone(row)
        row.gone_at = observed_at
        if not row.is_unread:
            row.observed_at = observed_at
        row.changed_at = timezone.now()
        row.version += 1
        revision = account.next_revision()
        if row.status != before:
            row.status_revision = revision
        row.save(update_fields=GONE_COLUMNS)
        JobPoll.objects.filter(job=row).delete()
        JobEvent.build(row, source, before, row.status, message, actor).save()
    return True


def _find_known(job: Job, observed_at: datetime) -> Job | None:
    """The job, locked, unless it is gone already or was confirmed after `observed_at`."""
    older = Q(observed_at__lte=observed_at) | UNREAD
    return (
        Job.objects.select_for_update(of=("self",))
        .filter(older, pk=job.pk, gone_at__isnull=True)
        .exclude(poll__confirmed_at__gt=observed_at)
        .first()
    )


def _describe_gone(row: Job) -> str:
    return "Not known to the provider" if row.is_unread else "No longer at the provider"


def _cancel(row: Job, observed_at: datetime) -> None:
    row.status = JobStatus.CANCELLED
    row.outputs.filter(status__in=UNFINISHED_OUTPUTS).update(status=OutputStatus.CANCELLED)
    merge.assign(row, observed_end(observed_at))


def fail_unsent(job: Job, error: ProviderError, *, source: EventSource) -> None:
    """End a job whose submission the provider refused, with the provider's message."""
    columns = merge.failure_columns(error)
    message = f"{columns['error_class']}: {columns['error_message']}"
    _end_unsent(job, source, message=message, actor=None, status=JobStatus.FAILED, **columns)


def cancel_unsent(job: Job, *, actor: Actor | None) -> None:
    """End a job that was cancelled before its submission left."""
    _end_unsent(
        job,
        EventSource.ACTION,
        message="Cancelled before it was sent",
        actor=actor,
        status=JobStatus.CANCELLED,
    )


def _end_unsent(
    job: Job, source: EventSource, *, message: str, actor: Actor | None, **values: Any
) -> None:
    now = timezone.now()
    with transaction.atomic():
        # only while the provider has not named it: a found job knows better
        unsent = Job.objects.filter(pk=job.pk, remote_id__isnull=True)
        values |= observed_end(now)
        if unsent.update(**values, changed_at=now, version=F("version") + 1):
            JobEvent.build(job, source, job.status, values["status"], message, actor).save()
            unsent.update(status_revision=job.account.next_revision())
            refresh_search([job.pk])
            refresh_group(job.pk, now)
            settle_retries([job], now)
