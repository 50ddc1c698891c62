"""The one writer of mirrored rows. Poll, webhook, submission and action all end here.

Applying the same answers twice changes nothing and writes no event; two workers may apply
answers about the same job at the same time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from jobs.mirror import merge
from jobs.mirror.batch import JOB_COLUMNS, Applied, Batch
from jobs.mirror.polling import polls
from jobs.mirror.retries import settle_retries
from jobs.models import EventSource, Job, JobEvent, JobPoll, ProviderAccount
from organizations.models import User
from providers.core.errors import ProviderError
from providers.core.status import JobStatus, OutputStatus
from providers.core.types import RemoteError, RemoteJob, RemoteOutput
from providers.parsing.text import make_storable_id

# Rows of one transaction: short enough that SQLite's single writer is never held for long.
BATCH = 200

UNFINISHED_OUTPUTS = (OutputStatus.QUEUED, OutputStatus.RUNNING, OutputStatus.UNKNOWN)

# what an answer that tells nothing new is confirmed by
KNOWN_COLUMNS = (
    "pk", "remote_id", "digest", "gone_at", "status", "sort_at", "progress", "poll__confirmed_at",
    "body__digest", "body__is_partial",
)  # fmt: skip
# what a job that is gone may change of
GONE_COLUMNS = (
    "status", "status_revision", "gone_at", "observed_at", "observed_finished_at", "ended_at",
    "ended_at_source", "changed_at", "version",
)  # fmt: skip
# what an attempt under the same remote id shares with the one before
COPIED_TO_ATTEMPT = frozenset(
    {
        "organization",
        "account",
        "remote_id",
        "batch",
        "name",
        "metadata",
        "request",
        "is_test",
        "is_clip",
        "priority",
        "console_url",
    }
)


def apply(
    account: ProviderAccount,
    remote_jobs: Iterable[RemoteJob],
    *,
    source: EventSource,
    observed_at: datetime,
    actor: User | None = None,
) -> Applied:
    """Write what the provider told. `observed_at` is when the answer was asked for.

    Raises nothing of its own; a job that another worker inserts meanwhile is compared again.
    """
    unique = {
        remote.remote_id: remote
        for remote in map(_with_storable_ids, reversed(list(remote_jobs)))
        if remote.remote_id
    }
    applied = Applied()
    for batch in _batches(unique.values(), BATCH):
        for is_last_try in (False, False, True):
            try:
                applied += _apply_batch(account, batch, source, observed_at, actor)
                break
            except (IntegrityError, OperationalError):
                # Another worker inserted one of these: now it is there to be compared with. Two
                # that insert the same in another order end one of them as a deadlock.
                if is_last_try:
                    raise
    return applied


def mark_gone(
    account: ProviderAccount,
    job: Job,
    *,
    source: EventSource,
    observed_at: datetime,
    took_cancel: bool = False,
    actor: User | None = None,
) -> bool:
    """Note that the provider no longer knows `job`; False when newer news are held.

    Its status stays what it last was, but for an unfinished job that vanished right after the
    provider took our cancel (`took_cancel`): that one is cancelled.
    """
    now = timezone.now()
    with transaction.atomic():
        row = (
            Job.objects.select_for_update(of=("self",))
            .filter(pk=job.pk, gone_at__isnull=True, observed_at__lte=observed_at)
            .exclude(poll__confirmed_at__gt=observed_at)
            .first()
        )
        if row is None:
            return False
        before = row.status
        if took_cancel and not row.is_terminal:
            row.status = JobStatus.CANCELLED
            row.outputs.filter(status__in=UNFINISHED_OUTPUTS).update(status=OutputStatus.CANCELLED)
            for column, value in merge.observed_end(observed_at).items():
                setattr(row, column, value)
        row.gone_at = row.observed_at = observed_at
        row.changed_at = now
        row.version += 1
        revision = account.next_revision()
        if row.status != before:
            row.status_revision = revision
        row.save(update_fields=GONE_COLUMNS)
        JobPoll.objects.filter(job=row).delete()
        message = "No longer known to the provider"
        JobEvent.told(row, source, before, row.status, message, actor).save()
    return True


def fail_unsent(job: Job, error: ProviderError, *, source: EventSource) -> None:
    """End a job whose submission the provider refused, with the provider's words."""
    told = RemoteError(error.error_class, error.code, str(error))
    columns = merge.error_columns(told)
    _end_unsent(
        job,
        source,
        message=f"{columns['error_class']}: {columns['error_message']}",
        actor=None,
        status=JobStatus.FAILED,
        errors=[merge.listed_error(told)],
        **columns,
    )


def cancel_unsent(job: Job, *, actor: User | None) -> None:
    """End a job that was cancelled before its submission left."""
    _end_unsent(
        job,
        EventSource.ACTION,
        message="Cancelled before it was sent",
        actor=actor,
        status=JobStatus.CANCELLED,
    )


def _end_unsent(
    job: Job, source: EventSource, *, message: str, actor: User | None, **values: Any
) -> None:
    now = timezone.now()
    with transaction.atomic():
        # only while the provider has not named it: a found job knows better
        unsent = Job.objects.filter(pk=job.pk, remote_id__isnull=True)
        values |= merge.observed_end(now)
        if unsent.update(**values, changed_at=now, version=F("version") + 1):
            JobEvent.told(job, source, job.status, values["status"], message, actor).save()
            unsent.update(status_revision=job.account.next_revision())
            settle_retries([job], now)


def open_attempt(job: Job, *, source: EventSource, actor: User | None) -> Job:
    """Freeze `job` and open the attempt after it, which the provider is about to be asked for.

    Nothing of the job itself changes, so its `changed_at` stays. Calling it again for the same
    job returns the attempt that is there.
    """
    now = timezone.now()
    held = Job.objects.filter(account=job.account_id, remote_id=job.remote_id)
    with transaction.atomic():
        frozen = Job.objects.filter(pk=job.pk, is_newest=True)
        if not frozen.update(is_newest=False, version=F("version") + 1):
            return held.get(is_newest=True)
        copied = {
            name: getattr(job, name)
            for name in JOB_COLUMNS
            if name.startswith("input_") or name in COPIED_TO_ATTEMPT
        }
        revision = job.account.next_revision()
        attempt = Job.objects.create(
            **copied,
            first_seen_revision=revision,
            status_revision=revision,
            attempt=merge.next_attempt(held),
            retry_of=job,
            status=JobStatus.SUBMITTING,
            submitted_by=actor,
            created_at=now,
            first_seen_at=now,
            changed_at=now,
            sort_at=now,
        )
        JobEvent.told(
            attempt, source, "", attempt.status, f"Attempt {attempt.attempt}", actor
        ).save()
    return attempt


def confirm_attempt(attempt: Job, *, source: EventSource, actor: User | None) -> None:
    """The provider runs the job again: what is read from now on is about `attempt`."""
    now = timezone.now()
    waiting = Job.objects.filter(pk=attempt.pk, status=JobStatus.SUBMITTING)
    with transaction.atomic():
        queued = {"status": JobStatus.QUEUED, "observed_at": now, "changed_at": now}
        if not waiting.update(**queued, version=F("version") + 1):
            return  # a pass has seen it run
        JobPoll.objects.get_or_create(
            job=attempt,
            defaults={"account_id": attempt.account_id, "confirmed_at": now, "next_at": now},
        )
        JobEvent.told(attempt, source, JobStatus.SUBMITTING, JobStatus.QUEUED, "", actor).save()
        revision = attempt.account.next_revision()
        Job.objects.filter(pk=attempt.pk).update(status_revision=revision)


def fail_attempt(
    attempt: Job, error: ProviderError, *, source: EventSource, actor: User | None
) -> None:
    """The provider does not run the job again: its updates belong to the attempt before."""
    now = timezone.now()
    told = RemoteError(error.error_class, error.code, str(error))
    columns = merge.error_columns(told)
    failed: dict[str, Any] = {
        "status": JobStatus.FAILED,
        "errors": [merge.listed_error(told)],
        **columns,
        **merge.observed_end(now),
    }
    waiting = Job.objects.filter(pk=attempt.pk, status=JobStatus.SUBMITTING)
    with transaction.atomic():
        if not waiting.update(**failed, changed_at=now, version=F("version") + 1):
            return
        before = attempt.retry_of
        if before is not None and before.remote_id == attempt.remote_id:
            Job.objects.filter(pk=attempt.pk).update(is_newest=False)
            Job.objects.filter(pk=before.pk).update(is_newest=True, version=F("version") + 1)
        message = f"{columns['error_class']}: {columns['error_message']}"
        JobEvent.told(
            attempt, source, JobStatus.SUBMITTING, JobStatus.FAILED, message, actor
        ).save()
        revision = attempt.account.next_revision()
        Job.objects.filter(pk=attempt.pk).update(status_revision=revision)
        settle_retries([attempt], now)


def expect_new_addresses(job: Job) -> None:
    """Have the next answer about `job` compared in full.

    Else an answer that only signs its addresses anew passes for one that tells nothing new.
    """
    Job.objects.filter(pk=job.pk).update(digest="")


def _apply_batch(
    account: ProviderAccount,
    batch: Sequence[RemoteJob],
    source: EventSource,
    observed_at: datetime,
    actor: User | None,
) -> Applied:
    known = {
        row["remote_id"]: row
        for row in Job.objects.filter(
            account=account, is_newest=True, remote_id__in=[remote.remote_id for remote in batch]
        ).values(*KNOWN_COLUMNS)
    }
    applied = Applied()
    confirmed: list[Job] = []
    news: list[tuple[RemoteJob, str]] = []
    for remote in batch:
        digest = merge.digest(remote)
        row = known.get(remote.remote_id)
        if row is None or row["digest"] != digest or row["gone_at"] is not None:
            news.append((remote, digest))
            continue
        body_digest, is_partial = row.pop("body__digest"), row.pop("body__is_partial")
        if _is_other_body(remote, body_digest, is_partial):
            news.append((remote, digest))
        else:
            applied.unchanged.append(row["pk"])
            confirmed_at = row.pop("poll__confirmed_at")
            if confirmed_at is not None and confirmed_at < observed_at:
                confirmed.append(Job(**row))
    # not inserted: the row of a job that another worker has just seen end must stay away
    JobPoll.objects.bulk_update(polls(account, confirmed, observed_at), ["confirmed_at", "next_at"])
    if news:
        with transaction.atomic():
            written = Batch(account, source, observed_at, actor)
            written.load([remote for remote, _ in news])
            for remote, digest in news:
                written.take(remote, digest)
            written.flush()
        applied += written.applied
    return applied


def _is_other_body(remote: RemoteJob, digest: str | None, is_partial: bool | None) -> bool:
    """Whether the payload replaces the stored one, of which these two are known (none: None)."""
    if remote.raw is None or (remote.is_partial and is_partial is False):
        return False
    return merge.body_digest(remote.raw) != digest


def _with_storable_ids(remote: RemoteJob) -> RemoteJob:
    """The same job with ids that their columns hold, and one output an id: both were seen."""
    outputs: dict[str, RemoteOutput] = {}
    for output in remote.outputs:
        remote_id, slot = make_storable_id(output.remote_id), make_storable_id(output.slot)
        preset_id = output.preset_id and make_storable_id(output.preset_id)
        if remote_id in outputs and slot:
            remote_id = slot  # two places with one file
        outputs.setdefault(
            remote_id, replace(output, remote_id=remote_id, slot=slot, preset_id=preset_id)
        )
    return replace(
        remote,
        remote_id=make_storable_id(remote.remote_id),
        key=remote.key and make_storable_id(remote.key),
        outputs=tuple(outputs.values()),
    )


def _batches(values: Iterable[RemoteJob], size: int) -> Iterator[list[RemoteJob]]:
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch
