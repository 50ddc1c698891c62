"""One batch of answers on its way into the database, inside one transaction."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from jobs.mirror import merge
from jobs.mirror.merge import Ruling
from jobs.mirror.polling import polls
from jobs.mirror.retries import OUTCOMES, settle_retries
from jobs.mirror.storable import clean_json, fit_to_column
from jobs.models import (
    EventSource,
    IdempotencyKey,
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
    SubmissionState,
)
from organizations.models import User
from providers.core.status import JobStatus
from providers.core.types import RemoteJob, RemoteOutput, RemotePreset
from providers.parsing.text import make_storable_id

JOB_COLUMNS = [f.name for f in Job._meta.concrete_fields if not (f.primary_key or f.generated)]
OUTPUT_COLUMNS = [f.name for f in Output._meta.concrete_fields if not f.primary_key]

# What changes with each signature of the same address.
ADDRESS_COLUMNS = frozenset({"secret_url", "expires_at"})


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


class Batch:
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
        # attempts whose resubmit is not confirmed: the attempt before, and when it was sent
        self.awaited: dict[int, tuple[Job | None, datetime | None]] = {}
        self.outputs: dict[int, dict[str, Output]] = {}
        self.adoptable: dict[str, Job] = {}
        self.adopted: list[int] = []
        self.presets: dict[str, Preset] = {}
        self.inserts: list[tuple[Job, RemoteJob, list[Output]]] = []
        self.updates: list[Job] = []
        # ended ones of which another answer tells nothing new
        self.told_again: list[Job] = []
        # rows that come into another status, and those that may resolve a failure by their outcome
        self.moved: list[Job] = []
        self.outcomes: list[Job] = []
        self.output_writes: list[Output] = []
        self.bodies: list[tuple[Job, RemoteJob]] = []
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
        self._load_awaited()
        before = [row for row, _ in self.awaited.values() if row]
        pks = [row.pk for row in (*self.rows.values(), *self.adoptable.values(), *before)]
        for output in Output.objects.filter(job__in=pks):
            self.outputs.setdefault(output.job_id, {})[output.remote_id] = output
        self._write_presets([preset for remote in remote_jobs for preset in remote.presets])

    def _load_awaited(self) -> None:
        awaited = [row for row in self.rows.values() if row.is_awaiting_rerun]
        if not awaited:
            return
        before = (
            Job.objects.select_for_update(of=("self",))
            .select_related("retry_of", "poll")
            .filter(pk__in=[row.retry_of_id for row in awaited])
            .order_by("pk")
        )
        found = {row.pk: row for row in before}
        sent = JobAction.objects.filter(job__in=[row.pk for row in awaited])
        sent_at = dict(sent.values_list("job", "sent_at"))
        self.awaited = {
            row.pk: (found.get(row.retry_of_id or 0), sent_at.get(row.pk)) for row in awaited
        }

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
            for model in (Output, JobEvent, JobAction, IdempotencyKey):
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
                self.adopted.append(row.pk)
        if row is None:
            self._insert(remote, digest, attempt=1)
            return
        if row.pk in self.awaited and not self._shows_rerun(row, remote):
            self._take_before(row, remote, digest)
            return
        ruling = merge.judge(row, remote, self.observed_at)
        if ruling is Ruling.STALE:
            self.applied.unchanged.append(row.pk)
        elif ruling is Ruling.REOPEN:
            self._freeze(row)
            held = Job.objects.filter(account=self.account, remote_id=remote.remote_id)
            self._insert(remote, digest, attempt=merge.next_attempt(held), retry_of=row)
        else:
            self._update(row, remote, digest)

    def _shows_rerun(self, row: Job, remote: RemoteJob) -> bool:
        """Whether the answer is about the attempt that was asked for, `row`."""
        before, sent_at = self.awaited[row.pk]
        if sent_at is None or self.observed_at <= sent_at:
            return False
        return before is None or merge.shows_rerun(before, remote)

    def _take_before(self, row: Job, remote: RemoteJob, digest: str) -> None:
        """Apply what is about the attempt before the one that was asked for."""
        before, _ = self.awaited[row.pk]
        if before and merge.judge(before, remote, self.observed_at) is Ruling.UPDATE:
            self._update(before, remote, digest)
        else:
            self.applied.unchanged.append(row.pk)

    def flush(self) -> None:
        """Write everything that was taken, in the order that foreign keys need."""
        self._number()
        Job.objects.bulk_create(
            self.updates, update_conflicts=True, unique_fields=["id"], update_fields=JOB_COLUMNS
        )
        Job.objects.bulk_update(self.told_again, ["digest", "observed_at"])
        Job.objects.bulk_create([row for row, _, _ in self.inserts])
        for row, remote, outputs in self.inserts:
            self.applied.created.append(row.pk)
            self.output_writes += outputs
            self._keep_apart(row, remote)
            self.events.append(self._change(row, ""))
        Output.objects.bulk_create([output for output in self.output_writes if output.pk is None])
        Output.objects.bulk_create(
            [output for output in self.output_writes if output.pk is not None],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=OUTPUT_COLUMNS,
        )
        self._write_bodies()
        JobSecret.objects.bulk_create(
            [JobSecret(job=row, input_url=url) for row, url in self.secrets],
            update_conflicts=True,
            unique_fields=["job"],
            update_fields=["input_url"],
        )
        JobEvent.objects.bulk_create(self.events)
        if self.adopted:  # what became of them is known, whatever was doubted before
            Submission.objects.filter(job__in=self.adopted).update(
                state=SubmissionState.DONE, note=""
            )
        written = [*self.updates, *(row for row, _, _ in self.inserts)]
        JobPoll.objects.filter(job__in=[row.pk for row in written if row.is_terminal]).delete()
        self.confirmed += [row for row in written if not row.is_terminal and row.is_newest]
        JobPoll.objects.bulk_create(
            polls(self.account, self.confirmed, self.observed_at),
            update_conflicts=True,
            unique_fields=["job"],
            update_fields=["confirmed_at", "next_at"],
        )
        settle_retries(self.outcomes, self.now)

    def _number(self) -> None:
        """Take the account's next revision for what is new or moved, where anything is written."""
        if not self.updates and not self.inserts:
            return
        revision = self.account.next_revision()
        for row, _, _ in self.inserts:
            row.first_seen_revision = row.status_revision = revision
        for row in self.moved:
            row.status_revision = revision

    def _write_bodies(self) -> None:
        bodies = {
            row.pk: JobBody(
                job=row,
                compressed=JobBody.compress(clean_json(remote.raw)),
                stored_at=self.now,
                digest=merge.body_digest(remote.raw),
                is_partial=remote.is_partial,
            )
            for row, remote in self.bodies
        }
        partial = [pk for pk, body in bodies.items() if body.is_partial]
        if partial:
            complete = JobBody.objects.filter(job__in=partial, is_partial=False)
            for pk in complete.values_list("pk", flat=True):
                del bodies[pk]
        JobBody.objects.bulk_create(
            bodies.values(),
            update_conflicts=True,
            unique_fields=["job"],
            update_fields=["compressed", "stored_at", "digest", "is_partial"],
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
        self._set(row, merge.job_changes(row, remote, self.observed_at, self.now))
        outputs = [self._draft(row, output, at) for at, output in enumerate(remote.outputs)]
        self._set(row, self._summary(row, outputs))
        self.inserts.append((row, remote, outputs))
        if retry_of is not None and row.status in OUTCOMES:
            self.outcomes.append(row)
        self.rows[remote.remote_id] = row

    def _update(self, row: Job, remote: RemoteJob, digest: str) -> None:
        before = row.status
        adopted = row.observed_at is None
        changes = merge.job_changes(row, remote, self.observed_at, self.now)
        self._set(row, changes)
        written = self._take_outputs(row, remote, self.outputs.get(row.pk, {}))
        summary = self._summary(row, list(self.outputs.get(row.pk, {}).values()))
        self._set(row, summary)
        # the payload may be another one where no column is
        self._keep_apart(row, remote)
        is_news = bool(changes or written - ADDRESS_COLUMNS or summary or adopted)
        if is_news or written or not row.digest:
            row.digest = digest
            row.observed_at = self.observed_at
            row.version += 1
            self.updates.append(row)
        elif row.is_terminal:
            # so that an answer which is older takes the place neither of this one nor of its body
            row.digest = digest
            row.observed_at = self.observed_at
            self.told_again.append(row)
        else:
            self.confirmed.append(row)
        if not is_news:
            self.applied.unchanged.append(row.pk)
            return
        row.changed_at = self.now
        self.applied.changed.append(row.pk)
        if row.status != before:
            self.moved.append(row)
            if row.status in OUTCOMES or before in OUTCOMES:
                self.outcomes.append(row)
            self.events.append(self._change(row, before))
        elif "gone_at" in changes:
            self.events.append(
                JobEvent.told(
                    row, self.source, before, before, "Known to the provider again", self.actor
                )
            )

    def _summary(self, row: Job, outputs: list[Output]) -> dict[str, Any]:
        return merge.summary(row, outputs, self.account.adapter_class.cut_fields)

    def _freeze(self, row: Job) -> None:
        """A later attempt takes its place; nothing about this one changes (`changed_at` stays)."""
        row.is_newest = False
        row.version += 1
        self.updates.append(row)
        self.applied.changed.append(row.pk)

    def _take_outputs(self, row: Job, remote: RemoteJob, known: dict[str, Output]) -> set[str]:
        """Stage the outputs that are new or changed; the columns that do."""
        written: dict[int, Output] = {}
        columns: set[str] = set()
        held = _match_outputs(remote.outputs, known.values())
        for position, told in enumerate(remote.outputs):
            output = held.get(told.remote_id)
            if output is None:
                output = self._draft(row, told, position)
                self.outputs.setdefault(row.pk, {})[told.remote_id] = output
                changes: dict[str, Any] = {"remote_id": told.remote_id}
            else:
                changes = self._output_changes(output, told, position)
                self._set(output, changes)
            if changes:
                columns |= changes.keys()
                written[id(output)] = output
        for output in known.values():
            if output.sort_at != row.sort_at:  # told or not, they move in the lists with their job
                output.sort_at = row.sort_at
                columns.add("sort_at")
                written[id(output)] = output
        self.output_writes += written.values()
        return columns

    def _output_changes(self, output: Output, told: RemoteOutput, position: int) -> dict[str, Any]:
        if told.slot and told.remote_id == told.slot != output.remote_id:
            return {}  # it is a file by now, which this payload leaves out
        changes = merge.output_changes(output, told, position)
        preset = self.presets.get(told.preset_id or "")
        if preset is not None and output.preset_id != preset.pk:
            changes["preset"] = preset
        return changes

    def _draft(self, row: Job, told: RemoteOutput, position: int) -> Output:
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
            self.bodies.append((row, remote))
        if remote.input.secret_url:
            self.secrets.append((row, remote.input.secret_url))

    def _change(self, row: Job, before: str) -> JobEvent:
        message = ""
        if row.status == JobStatus.UNKNOWN:
            message = f"The provider says “{row.provider_status}”, a word we don't know"
        elif row.status == JobStatus.FAILED:
            message = f"{row.error_class}: {row.error_message}".removesuffix(": ")
        elif row.attempt > 1 and not before:
            message = f"Attempt {row.attempt}"
        return JobEvent.told(
            row, self.source, before, row.status, message, self.actor, self.observed_at
        )

    def _write_presets(self, told: list[RemotePreset]) -> None:
        if not told:
            return
        self.presets = write_presets(self.account, told, self.now)

    @staticmethod
    def _set(row: Job | Output, changes: dict[str, Any]) -> None:
        for column, value in changes.items():
            setattr(row, column, value)


def _match_outputs(told: Iterable[RemoteOutput], known: Iterable[Output]) -> dict[str, Output]:
    """The row that we hold of each output, by the id that it is told with.

    By its id, else by its slot: the row was made before the provider gave the file an id, or the
    payload is one that leaves it out.
    """
    told = list(told)
    by_id = {row.remote_id: row for row in known}
    held = {one.remote_id: by_id.pop(one.remote_id) for one in told if one.remote_id in by_id}
    # those of this job that no payload with their slot names by their id
    slots = {one.slot for one in told if one.slot}
    spare = {row.slot: row for row in by_id.values() if row.slot in slots}
    rest = [one for one in told if one.slot and one.remote_id not in held]
    for one in rest:
        if one.slot in spare:
            held[one.remote_id] = spare.pop(one.slot)
    for one in rest:
        if one.remote_id not in held and spare:
            held[one.remote_id] = spare.pop(next(iter(spare)))
    return held


def write_presets(
    account: ProviderAccount, told: Iterable[RemotePreset], now: datetime
) -> dict[str, Preset]:
    """Mirror presets by remote id; the rows, by remote id."""
    remotes = {make_storable_id(preset.remote_id): preset for preset in told}
    rows = {
        row.remote_id: row
        for row in Preset.objects.filter(account=account, remote_id__in=list(remotes))
    }
    fresh = []
    for remote_id, remote in remotes.items():
        # what is empty was not told, by a mere reference for one
        new = {
            column: fit_to_column(Preset, column, value)
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
