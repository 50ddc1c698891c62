"""The one writer of mirrored rows. Poll, webhook, submission and action all end here.

Applying the same answers twice changes nothing and writes no event; two workers may apply
answers about the same job at the same time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import islice
from typing import Any

import structlog
from django.db import IntegrityError, OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from jobs import merge
from jobs.merge import Ruling, is_storable, storable
from jobs.models import (
    EventSource,
    Job,
    JobAction,
    JobBody,
    JobEvent,
    JobPoll,
    JobSecret,
    Output,
    Preset,
    ProviderAccount,
    Submission,
)
from organizations.models import User
from providers.errors import ProviderError
from providers.status import JobStatus
from providers.types import RemoteError, RemoteJob, RemoteOutput, RemotePreset

log = structlog.get_logger(__name__)

# Rows of one transaction: short enough that SQLite's single writer is never held for long.
BATCH = 200

# The columns' length. A longer id is nobody's id, and cutting it would mix two jobs up.
MAX_REMOTE_ID = 255

JOB_COLUMNS = [f.name for f in Job._meta.concrete_fields if not f.primary_key]
# what an answer that tells nothing new is confirmed by
KNOWN_COLUMNS = (
    "pk", "remote_id", "digest", "gone_at", "status", "sort_at", "progress", "poll__confirmed_at"
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
        "priority",
        "console_url",
        "created_at",
    }
)
OUTPUT_COLUMNS = [f.name for f in Output._meta.concrete_fields if not f.primary_key]


@dataclass
class Applied:
    """Primary keys of the jobs that a call wrote, confirmed, or left as newer than the answer."""

    created: list[int] = field(default_factory=list)
    changed: list[int] = field(default_factory=list)
    unchanged: list[int] = field(default_factory=list)

    def __iadd__(self, other: "Applied") -> "Applied":
        self.created += other.created
        self.changed += other.changed
        self.unchanged += other.unchanged
        return self

    @property
    def is_news(self) -> bool:
        return bool(self.created or self.changed)


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
        remote.remote_id: _with_sound_outputs(remote)
        for remote in reversed(list(remote_jobs))
        if 0 < len(remote.remote_id) <= MAX_REMOTE_ID and is_storable(remote.remote_id)
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
    if applied.is_news:
        ProviderAccount.objects.filter(pk=account.pk).update(revision=F("revision") + 1)
    return applied


def mark_gone(
    account: ProviderAccount,
    job: Job,
    *,
    source: EventSource,
    observed_at: datetime,
    cancelled_by: User | None = None,
) -> bool:
    """Note that the provider no longer knows `job`; False when newer news are held.

    Its status stays what it last was, but for an unfinished job that vanished right after the
    provider took our cancel (source ACTION): that one is cancelled.
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
        if source == EventSource.ACTION and not row.is_terminal:
            row.status = JobStatus.CANCELLED
        row.gone_at = row.observed_at = observed_at
        row.changed_at = now
        row.version += 1
        row.save(update_fields=["status", "gone_at", "observed_at", "changed_at", "version"])
        JobPoll.objects.filter(job=row).delete()
        message = "No longer known to the provider"
        _event(row, source, before, row.status, message, cancelled_by).save()
        ProviderAccount.objects.filter(pk=account.pk).update(revision=F("revision") + 1)
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
        ended = Job.objects.filter(pk=job.pk, remote_id__isnull=True).update(
            **values, changed_at=now, version=F("version") + 1
        )
        if ended:
            _event(job, source, job.status, values["status"], message, actor).save()
            ProviderAccount.objects.filter(pk=job.account_id).update(revision=F("revision") + 1)


def open_attempt(job: Job, *, source: EventSource, actor: User | None) -> Job:
    """Freeze `job` and open the attempt after it, once the provider took a native resubmit.

    Calling it again for the same job returns the attempt that is there.
    """
    now = timezone.now()
    with transaction.atomic():
        frozen = Job.objects.filter(pk=job.pk, is_newest=True).update(
            is_newest=False, changed_at=now, version=F("version") + 1
        )
        if not frozen:
            return Job.objects.get(
                account_id=job.account_id, remote_id=job.remote_id, is_newest=True
            )
        copied = {
            name: getattr(job, name)
            for name in JOB_COLUMNS
            if name.startswith("input_") or name in COPIED_TO_ATTEMPT
        }
        attempt = Job.objects.create(
            **copied,
            attempt=job.attempt + 1,
            retry_of=job,
            status=JobStatus.QUEUED,
            submitted_by=actor,
            first_seen_at=now,
            changed_at=now,
            sort_at=now,
            observed_at=now,
        )
        JobPoll.objects.create(
            job=attempt, account_id=job.account_id, confirmed_at=now, next_at=now
        )
        _event(attempt, source, "", attempt.status, f"Attempt {attempt.attempt}", actor).save()
        ProviderAccount.objects.filter(pk=job.account_id).update(revision=F("revision") + 1)
    return attempt


def expect_new_addresses(job: Job) -> None:
    """Have the next answer about `job` compared in full.

    Else an answer that only signs its addresses anew passes for one that tells nothing new.
    """
    Job.objects.filter(pk=job.pk).update(digest="")


def poll_interval(job: Job, now: datetime, smallest_s: int) -> timedelta:
    """How long an unfinished job may stay unconfirmed: seldom what has not moved for long."""
    if job.status == JobStatus.UNKNOWN:
        return timedelta(minutes=5)
    age = now - job.sort_at
    if age < timedelta(minutes=2) or (job.progress or 0) >= 90:
        return timedelta(seconds=smallest_s)
    if job.status == JobStatus.RUNNING:
        return timedelta(seconds=max(smallest_s, 10))
    return timedelta(seconds=max(smallest_s, 60 if age > timedelta(hours=1) else 15))


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
        else:
            applied.unchanged.append(row["pk"])
            confirmed_at = row.pop("poll__confirmed_at")
            if confirmed_at is not None and confirmed_at < observed_at:
                confirmed.append(Job(**row))
    # not inserted: the row of a job that another worker has just seen end must stay away
    JobPoll.objects.bulk_update(
        _polls(account, confirmed, observed_at), ["confirmed_at", "next_at"]
    )
    if news:
        with transaction.atomic():
            write = _Write(account, source, observed_at, actor)
            write.load([remote for remote, _ in news])
            for remote, digest in news:
                write.take(remote, digest)
            write.flush()
        applied += write.applied
    return applied


def _polls(account: ProviderAccount, jobs: list[Job], observed_at: datetime) -> list[JobPoll]:
    smallest_s = account.adapter_class.min_poll_interval_s
    return [
        JobPoll(
            job=job,
            account=account,
            confirmed_at=observed_at,
            next_at=observed_at + poll_interval(job, observed_at, smallest_s),
        )
        for job in jobs
    ]


class _Write:
    """One batch on its way into the database, inside one transaction."""

    def __init__(
        self,
        account: ProviderAccount,
        source: EventSource,
        observed_at: datetime,
        actor: User | None,
    ) -> None:
        self.account = account
        self.source = source
        self.observed_at = observed_at
        self.actor = actor
        self.now = timezone.now()
        self.applied = Applied()
        self.confirmed: list[Job] = []
        self.rows: dict[str, Job] = {}
        self.outputs: dict[int, dict[str, Output]] = {}
        self.adoptable: dict[str, Job] = {}
        self.presets: dict[str, Preset] = {}
        self.inserts: list[tuple[Job, RemoteJob, list[Output]]] = []
        self.updates: list[Job] = []
        self.output_writes: list[Output] = []
        self.bodies: list[tuple[Job, Any]] = []
        self.secrets: list[tuple[Job, str]] = []
        self.events: list[JobEvent] = []

    def load(self, remote_jobs: list[RemoteJob]) -> None:
        """Read, and on PostgreSQL lock in one order, all that the batch may change."""
        ids = [remote.remote_id for remote in remote_jobs]
        rows = (
            Job.objects.select_for_update(of=("self",))
            .select_related("retry_of", "poll")
            .filter(account=self.account, is_newest=True, remote_id__in=ids)
            .order_by("pk")
        )
        self.rows = {row.remote_id: row for row in rows if row.remote_id}
        keys = [remote.key for remote in remote_jobs if remote.key]
        if keys:
            waiting = (
                Job.objects.select_for_update(of=("self",))
                .select_related("submission")
                .filter(account=self.account, remote_id__isnull=True, submission__key__in=keys)
                .order_by("pk")
            )
            self.adoptable = {row.submission.key: row for row in waiting}
            self._fold_doubles(remote_jobs)
        pks = [row.pk for row in (*self.rows.values(), *self.adoptable.values())]
        for output in Output.objects.filter(job__in=pks):
            self.outputs.setdefault(output.job_id, {})[output.remote_id] = output
        self._write_presets([preset for remote in remote_jobs for preset in remote.presets])

    def _fold_doubles(self, remote_jobs: list[RemoteJob]) -> None:
        """Let a waiting submission take over the row under which the list brought its job.

        That happens where a list does not carry our key. The submission's row stays, since its
        id was given out; a job that another submission made is never taken.
        """
        for remote in remote_jobs:
            waiting = self.adoptable.get(remote.key or "")
            double = self.rows.get(remote.remote_id)
            if waiting is None or double is None or Submission.objects.filter(job=double).exists():
                continue
            waiting.attempt, waiting.retry_of = double.attempt, double.retry_of or waiting.retry_of
            for model in (Output, JobEvent, JobAction):
                model._default_manager.filter(job=double).update(job=waiting)
            Job.objects.filter(retry_of=double).update(retry_of=waiting)
            double.delete()
            del self.rows[remote.remote_id]

    def take(self, remote: RemoteJob, digest: str) -> None:
        row = self.rows.get(remote.remote_id)
        if row is None and remote.key:
            row = self.adoptable.pop(remote.key, None)
            if row is not None:
                row.remote_id = remote.remote_id
        if row is None:
            self._insert(remote, digest, attempt=1)
            return
        ruling = merge.judge(row, remote, self.observed_at)
        if ruling is Ruling.STALE:
            self.applied.unchanged.append(row.pk)
        elif ruling is Ruling.REOPEN:
            self._freeze(row)
            self._insert(remote, digest, attempt=row.attempt + 1, retry_of=row)
        else:
            self._update(row, remote, digest)

    def flush(self) -> None:
        """Write everything that was taken, in the order that foreign keys need."""
        Job.objects.bulk_create(
            self.updates, update_conflicts=True, unique_fields=["id"], update_fields=JOB_COLUMNS
        )
        Job.objects.bulk_create([row for row, _, _ in self.inserts])
        for row, remote, outputs in self.inserts:
            self.applied.created.append(row.pk)
            self.output_writes += outputs
            self._keep_apart(row, remote)
            self.events.append(self._change(row, "", remote))
        Output.objects.bulk_create([output for output in self.output_writes if output.pk is None])
        Output.objects.bulk_create(
            [output for output in self.output_writes if output.pk is not None],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=OUTPUT_COLUMNS,
        )
        JobBody.objects.bulk_create(
            [
                JobBody(job=row, compressed=JobBody.compress(raw), stored_at=self.now)
                for row, raw in self.bodies
            ],
            update_conflicts=True,
            unique_fields=["job"],
            update_fields=["compressed", "stored_at"],
        )
        JobSecret.objects.bulk_create(
            [JobSecret(job=row, input_url=url) for row, url in self.secrets],
            update_conflicts=True,
            unique_fields=["job"],
            update_fields=["input_url"],
        )
        JobEvent.objects.bulk_create(self.events)
        written = [*self.updates, *(row for row, _, _ in self.inserts)]
        JobPoll.objects.filter(job__in=[row.pk for row in written if row.is_terminal]).delete()
        self.confirmed += [row for row in written if not row.is_terminal and row.is_newest]
        JobPoll.objects.bulk_create(
            _polls(self.account, self.confirmed, self.observed_at),
            update_conflicts=True,
            unique_fields=["job"],
            update_fields=["confirmed_at", "next_at"],
        )

    def _insert(
        self, remote: RemoteJob, digest: str, *, attempt: int, retry_of: Job | None = None
    ) -> None:
        row = Job(
            organization_id=self.account.organization_id,
            account=self.account,
            remote_id=remote.remote_id,
            attempt=attempt,
            retry_of=retry_of,
            status="",
            first_seen_at=self.now,
            changed_at=self.now,
            sort_at=self.now,
            observed_at=self.observed_at,
            digest=digest,
        )
        if retry_of is not None:
            row.submitted_by_id = retry_of.submitted_by_id
            row.request = retry_of.request
            row.batch = retry_of.batch
        self._set(row, merge.job_changes(row, remote))
        outputs = [self._draft(row, output, at) for at, output in enumerate(remote.outputs)]
        self._set(row, merge.summary(row, outputs))
        self.inserts.append((row, remote, outputs))
        self.rows[remote.remote_id] = row

    def _update(self, row: Job, remote: RemoteJob, digest: str) -> None:
        before = row.status
        adopted = row.observed_at is None
        changes = merge.job_changes(row, remote)
        self._set(row, changes)
        outputs_changed = self._take_outputs(row, remote, self.outputs.get(row.pk, {}))
        summary = merge.summary(row, list(self.outputs.get(row.pk, {}).values()))
        self._set(row, summary)
        if not (changes or outputs_changed or summary or adopted):
            self.applied.unchanged.append(row.pk)
            if not row.is_terminal:
                self.confirmed.append(row)
            return
        row.digest = digest
        row.observed_at = self.observed_at
        row.changed_at = self.now
        row.version += 1
        self.updates.append(row)
        self.applied.changed.append(row.pk)
        self._keep_apart(row, remote)
        if row.status != before:
            self.events.append(self._change(row, before, remote))
        elif "gone_at" in changes:
            self.events.append(
                _event(row, self.source, before, before, "Known to the provider again", self.actor)
            )

    def _freeze(self, row: Job) -> None:
        row.is_newest = False
        row.changed_at = self.now
        row.version += 1
        self.updates.append(row)
        self.applied.changed.append(row.pk)

    def _take_outputs(self, row: Job, remote: RemoteJob, known: dict[str, Output]) -> bool:
        written: dict[str, Output] = {}
        for position, told in enumerate(remote.outputs):
            output = known.get(told.remote_id)
            if output is None:
                output = self._draft(row, told, position)
                self.outputs.setdefault(row.pk, {})[told.remote_id] = output
            else:
                changes = merge.output_changes(output, told, position)
                if told.preset_id in self.presets:
                    preset = self.presets[told.preset_id]
                    if output.preset_id != preset.pk:
                        changes["preset"] = preset
                if not changes:
                    continue
                self._set(output, changes)
            written[told.remote_id] = output
        for output in known.values():
            if output.sort_at != row.sort_at:  # told or not, they move in the lists with their job
                output.sort_at = row.sort_at
                written[output.remote_id] = output
        self.output_writes += written.values()
        return bool(written)

    def _draft(self, row: Job, told: Any, position: int) -> Output:
        output = Output(
            job=row,
            organization_id=row.organization_id,
            account_id=row.account_id,
            sort_at=row.sort_at,
            remote_id=told.remote_id,
            status="",
            kind="",
            position=-1,
        )
        self._set(output, merge.output_changes(output, told, position))
        output.preset = self.presets.get(told.preset_id or "")
        return output

    def _keep_apart(self, row: Job, remote: RemoteJob) -> None:
        if remote.raw is not None:
            self.bodies.append((row, remote.raw))
        if remote.input.secret_url:
            self.secrets.append((row, remote.input.secret_url))

    def _change(self, row: Job, before: str, remote: RemoteJob) -> JobEvent:
        message = ""
        if row.status == JobStatus.UNKNOWN:
            message = f"The provider says “{remote.provider_status[:100]}”, a word we don't know"
        elif row.status == JobStatus.FAILED:
            message = f"{row.error_class}: {row.error_message}".removesuffix(": ")
        elif row.attempt > 1 and not before:
            message = f"Attempt {row.attempt}"
        return _event(row, self.source, before, row.status, message, self.actor, self.observed_at)

    def _write_presets(self, told: list[RemotePreset]) -> None:
        if not told:
            return
        self.presets = write_presets(self.account, told, self.now)

    @staticmethod
    def _set(row: Job | Output, changes: dict[str, Any]) -> None:
        for column, value in changes.items():
            setattr(row, column, value)


def write_presets(
    account: ProviderAccount, told: Iterable[RemotePreset], now: datetime
) -> dict[str, Preset]:
    """Mirror presets by remote id; the rows, by remote id."""
    remotes = {
        preset.remote_id: preset for preset in told if len(preset.remote_id) <= MAX_REMOTE_ID
    }
    rows = {
        row.remote_id: row
        for row in Preset.objects.filter(account=account, remote_id__in=list(remotes))
    }
    fresh = []
    for remote_id, remote in remotes.items():
        # what is empty was not told, by a mere reference for one
        new = {
            column: storable(Preset, column, value)
            for column in ("name", "kind", "settings")
            if (value := getattr(remote, column))
        }
        row = rows.get(remote_id)
        if row is None:
            fresh.append(
                Preset(
                    account=account, remote_id=remote_id, first_seen_at=now, changed_at=now, **new
                )
            )
        elif any(getattr(row, column) != value for column, value in new.items()):
            for column, value in new.items():
                setattr(row, column, value)
            row.changed_at = now
            row.save(update_fields=[*new, "changed_at"])
    Preset.objects.bulk_create(fresh, ignore_conflicts=True)
    if fresh:
        rows = {
            row.remote_id: row
            for row in Preset.objects.filter(account=account, remote_id__in=list(remotes))
        }
    return rows


def _with_sound_outputs(remote: RemoteJob) -> RemoteJob:
    """The same job with one output an id, each as long as the column: both have been seen."""
    outputs: dict[str, RemoteOutput] = {}
    for output in remote.outputs:
        remote_id = output.remote_id
        if len(remote_id) > MAX_REMOTE_ID or not is_storable(remote_id):
            # nobody asks for an output by its id: something as unique will do
            remote_id = blake2b(repr(remote_id).encode(), digest_size=16).hexdigest()
        outputs.setdefault(remote_id, replace(output, remote_id=remote_id))
    return replace(remote, outputs=tuple(outputs.values()))


def _event(
    job: Job,
    source: EventSource,
    before: str,
    after: str,
    message: str,
    actor: User | None = None,
    at: datetime | None = None,
) -> JobEvent:
    return JobEvent(
        job=job,
        at=at or timezone.now(),
        source=source,
        from_status=before,
        to_status=after,
        message=message[:500],
        actor=actor,
    )


def _batches(values: Iterable[RemoteJob], size: int) -> Iterator[list[RemoteJob]]:
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch
