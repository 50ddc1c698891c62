"""One batch of answers: what each of them means for our rows."""

from collections.abc import Collection, Set
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from jobs.mirror.attempts import next_attempt
from jobs.mirror.failures.resolved import OUTCOMES
from jobs.mirror.outputs import change_outputs, draft_output
from jobs.mirror.payload import Payload
from jobs.mirror.presets import write_presets
from jobs.mirror.rules import merge
from jobs.mirror.rules.decision import Decision, decide, shows_rerun
from jobs.mirror.search import SEARCHED_COLUMNS
from jobs.mirror.statements import Statements
from jobs.mirror.stored_rows import StoredRows
from jobs.models import EventSource, Job, JobEvent, Output, ProviderAccount
from organizations.models import Actor
from providers.core.status import JobStatus
from providers.core.types import RemoteJob

# What changes with each signature of the same URL.
SIGNATURE_COLUMNS = frozenset({"secret_url", "expires_at"})

# What changes with nearly each answer, and what most lists leave out.
MOVING_COLUMNS = SIGNATURE_COLUMNS | {"progress", "phase", "input_fetched_percent"}

# What decides the group of a failure
FAILURE_COLUMNS = frozenset({"status", "error_class", "error_code", "error_message"})


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
    """Stage the answers one by one, then write them. All of it inside one transaction."""

    def __init__(
        self,
        account: ProviderAccount,
        source: EventSource,
        observed_at: datetime,
        actor: Actor | None,
    ) -> None:
        self._account = account
        self._source = source
        self._observed_at = observed_at
        self._actor = actor
        self._now = timezone.now()
        self._applied = Applied()
        self._statements = Statements()

    def load(self, remotes: Collection[RemoteJob]) -> None:
        self._stored = StoredRows.load(self._account, remotes)
        presets = [preset for remote in remotes for preset in remote.presets]
        self._presets = write_presets(self._account, presets, self._now) if presets else {}

    def stage(self, payload: Payload) -> None:
        remote = payload.job
        row = self._stored.jobs.get(remote.remote_id) or self._adopt(remote)
        if row is None:
            self._insert(payload, attempt=1)
            return
        if row.pk in self._stored.reruns and not self._is_about_rerun(row, remote):
            self._stage_before(row, payload)
            return
        decision = decide(row, remote, self._observed_at)
        if decision is Decision.STALE:
            self._applied.unchanged.append(row.pk)
        elif decision is Decision.REOPEN:
            self._freeze(row)
            attempts = Job.objects.filter(account=self._account, remote_id=remote.remote_id)
            self._insert(payload, attempt=next_attempt(attempts), retry_of=row)
        else:
            self._update(row, payload)

    def write(self) -> Applied:
        is_import = self._source is EventSource.IMPORT
        self._statements.execute(self._account, self._observed_at, self._now, is_import=is_import)
        self._applied.created += [row.pk for row in self._statements.inserts]
        return self._applied

    def _adopt(self, remote: RemoteJob) -> Job | None:
        """The job that we submitted under the answer's key, until now without an id."""
        row = self._stored.submitted.pop(remote.key, None) if remote.key else None
        if row is not None:
            row.remote_id = remote.remote_id
            self._statements.adopted.append(row)
        return row

    def _is_about_rerun(self, row: Job, remote: RemoteJob) -> bool:
        """Whether the answer is about the attempt that was asked for, `row`."""
        before, sent_at = self._stored.reruns[row.pk]
        if sent_at is None or self._observed_at <= sent_at:
            return False
        return before is None or shows_rerun(before, remote)

    def _stage_before(self, row: Job, payload: Payload) -> None:
        """Apply what is about the attempt before the one that was asked for."""
        before = self._stored.reruns[row.pk].before
        if before and decide(before, payload.job, self._observed_at) is Decision.UPDATE:
            self._update(before, payload)
        else:
            self._applied.unchanged.append(row.pk)

    def _freeze(self, row: Job) -> None:
        """A later attempt replaces it; nothing about this one changes (`changed_at` stays)."""
        row.is_newest = False
        row.version += 1
        self._statements.updates.append(row)
        self._applied.changed.append(row.pk)

    def _insert(self, payload: Payload, *, attempt: int, retry_of: Job | None = None) -> None:
        remote = payload.job
        row = self._draft_job(remote.remote_id, attempt, retry_of)
        row.digests = payload.digests
        merge.assign(row, merge.job_changes(row, remote, self._observed_at, self._now))
        outputs = [
            draft_output(row, output, position, self._presets)
            for position, output in enumerate(remote.outputs)
        ]
        merge.assign(row, self._summarize(row, outputs))
        self._statements.inserts.append(row)
        self._statements.outputs += outputs
        self._statements.searched.append((row, outputs))
        self._statements.events.append(self._status_event(row, ""))
        self._stage_sidecars(row, payload)
        if row.status == JobStatus.FAILED:
            self._statements.failures.append(row)
        if retry_of is not None and row.status in OUTCOMES:
            self._statements.outcomes.append(row)
        self._stored.jobs[remote.remote_id] = row

    def _draft_job(self, remote_id: str, attempt: int, retry_of: Job | None) -> Job:
        row = Job(
            organization_id=self._account.organization_id,
            account=self._account,
            remote_id=remote_id,
            attempt=attempt,
            retry_of=retry_of,
            status="",
            first_seen_at=self._now,
            changed_at=self._now,
            sort_at=self._now,
            observed_at=self._observed_at,
        )
        if retry_of is not None:
            row.submitted_by_id = retry_of.submitted_by_id
            row.submitted_token_id = retry_of.submitted_token_id
            row.request = retry_of.request
            row.metadata = retry_of.metadata
            row.batch_id = retry_of.batch_id
            if retry_of.is_named:
                row.name, row.is_named = retry_of.name, True
        return row

    def _update(self, row: Job, payload: Payload) -> None:
        before, was_submitted = row.status, row.observed_at is None
        changes = merge.job_changes(row, payload.job, self._observed_at, self._now)
        if "ended_at" in changes:
            self._statements.moved_ends.append(row.ended_at)
        merge.assign(row, changes)
        known = self._stored.outputs.setdefault(row.pk, {})
        outputs = change_outputs(row, payload.job.outputs, known, self._presets)
        self._statements.outputs += outputs.rows
        summary = self._summarize(row, list(known.values()))
        merge.assign(row, summary)
        # the payload may be another one where no column is
        self._stage_sidecars(row, payload)
        is_news = bool(changes or outputs.columns - SIGNATURE_COLUMNS or summary or was_submitted)
        changed = changes.keys() | outputs.columns | summary.keys()
        if was_submitted or changed & SEARCHED_COLUMNS:
            self._statements.searched.append((row, list(known.values())))
        if changes.keys() & FAILURE_COLUMNS:
            self._statements.failures.append(row)
        self._stage_row(row, payload, is_written=is_news or bool(outputs.rows), changed=changed)
        if not is_news:
            self._applied.unchanged.append(row.pk)
            return
        row.changed_at = self._now
        self._applied.changed.append(row.pk)
        self._record_change(row, before, was_gone="gone_at" in changes)

    def _stage_row(
        self, row: Job, payload: Payload, *, is_written: bool, changed: Set[str]
    ) -> None:
        # after a change, payloads of other shapes may report another thing than the row
        kept = {} if changed - MOVING_COLUMNS else row.digests
        digests = {**kept, **payload.digests}
        if is_written:
            row.version += 1
            self._statements.updates.append(row)
        elif row.is_terminal or digests != row.digests:
            # of ended ones also so that no older answer replaces this one or its body
            self._statements.recognized.append(row)
        if is_written or row.is_terminal:
            row.observed_at = self._observed_at
        else:
            self._statements.confirmed.append(row)
        row.digests = digests

    def _record_change(self, row: Job, before: str, *, was_gone: bool) -> None:
        if row.status != before:
            self._statements.moved.append(row)
            if row.status in OUTCOMES or before in OUTCOMES:
                self._statements.outcomes.append(row)
            self._statements.events.append(self._status_event(row, before))
        elif was_gone:
            message = "At the provider again"
            self._statements.events.append(
                JobEvent.build(row, self._source, before, before, message, self._actor)
            )

    def _summarize(self, row: Job, outputs: list[Output]) -> dict[str, Any]:
        return merge.summary(row, outputs, self._account.adapter_class.cut_fields)

    def _stage_sidecars(self, row: Job, payload: Payload) -> None:
        """What is kept in rows beside the job's: the payload, and a URL with a signature."""
        remote = payload.job
        stored = self._stored.bodies.get(row.pk)
        if remote.raw is not None and (stored is None or stored.is_replaced_by(payload)):
            self._statements.bodies.append((row, payload))
        if remote.input.secret_url:
            self._statements.secrets.append((row, remote.input.secret_url))

    def _status_event(self, row: Job, before: str) -> JobEvent:
        message = ""
        if row.status == JobStatus.UNKNOWN:
            message = f"Unknown provider status: {row.provider_status}"
        elif row.status == JobStatus.FAILED:
            message = f"{row.error_class}: {row.error_message}".removesuffix(": ")
        elif row.attempt > 1 and not before:
            message = f"Attempt {row.attempt}"
        return JobEvent.build(
            row, self._source, before, row.status, message, self._actor, self._observed_at
        )
