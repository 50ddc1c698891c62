"""What one batch writes, and the statements that write it."""

from dataclasses import dataclass, field
from datetime import datetime

from jobs.mirror.failures.groups import assign_groups
from jobs.mirror.failures.resolved import settle_retries
from jobs.mirror.payload import Payload
from jobs.mirror.polling import add_polls
from jobs.mirror.search import write_search
from jobs.mirror.storable import clean_json
from jobs.models import (
    Job,
    JobBody,
    JobEvent,
    JobPoll,
    JobSecret,
    MovedEnd,
    Output,
    ProviderAccount,
    Submission,
    SubmissionState,
)

JOB_COLUMNS = [f.name for f in Job._meta.concrete_fields if not (f.primary_key or f.generated)]
OUTPUT_COLUMNS = [f.name for f in Output._meta.concrete_fields if not f.primary_key]


@dataclass
class Statements:
    """Rows to be written, by what is to become of them. Execute it inside one transaction."""

    inserts: list[Job] = field(default_factory=list)
    updates: list[Job] = field(default_factory=list)
    # those about which another answer reports nothing new, to recognize the next one like it by
    recognized: list[Job] = field(default_factory=list)
    # unfinished ones that were just confirmed
    confirmed: list[Job] = field(default_factory=list)
    # those that come into another status, and those whose outcome may resolve a failure
    moved: list[Job] = field(default_factory=list)
    outcomes: list[Job] = field(default_factory=list)
    # those that came to be failed, failed otherwise, or no longer are
    failures: list[Job] = field(default_factory=list)
    # submitted ones that the provider has named
    adopted: list[Job] = field(default_factory=list)
    outputs: list[Output] = field(default_factory=list)
    bodies: list[tuple[Job, Payload]] = field(default_factory=list)
    secrets: list[tuple[Job, str]] = field(default_factory=list)
    # those that are found by other text from now on, with all of their outputs
    searched: list[tuple[Job, list[Output]]] = field(default_factory=list)
    events: list[JobEvent] = field(default_factory=list)
    # when jobs had ended that end at another time now, or not at all
    moved_ends: list[datetime | None] = field(default_factory=list)

    def execute(
        self, account: ProviderAccount, observed_at: datetime, now: datetime, *, is_import: bool
    ) -> None:
        """Write all of it, in the order that foreign keys need."""
        assign_groups(self.failures, now, is_import=is_import)
        self._assign_revision(account)
        self._write_jobs()
        self._write_outputs()
        self._write_bodies(now)
        self._write_secrets()
        write_search(self.searched)
        JobEvent.objects.bulk_create(self.events)
        MovedEnd.record(account.organization_id, self.moved_ends)
        self._write_polls(account, observed_at)
        settle_retries(self.outcomes, now)

    def _assign_revision(self, account: ProviderAccount) -> None:
        """Take the account's next revision for what is new or moved, where anything is written."""
        if not self.updates and not self.inserts:
            return
        revision = account.next_revision()
        for row in self.inserts:
            row.first_seen_revision = row.status_revision = revision
        for row in self.moved:
            row.status_revision = revision

    def _write_jobs(self) -> None:
        Job.objects.bulk_create(
            self.updates, update_conflicts=True, unique_fields=["id"], update_fields=JOB_COLUMNS
        )
        Job.objects.bulk_update(self.recognized, ["digests", "observed_at"])
        Job.objects.bulk_create(self.inserts)
        if self.adopted:  # what became of them is known, whatever was doubted before
            Submission.objects.filter(job__in=self.adopted).update(
                state=SubmissionState.DONE, note=""
            )

    def _write_outputs(self) -> None:
        Output.objects.bulk_create([output for output in self.outputs if output.pk is None])
        Output.objects.bulk_create(
            [output for output in self.outputs if output.pk is not None],
            update_conflicts=True,
            unique_fields=["id"],
            update_fields=OUTPUT_COLUMNS,
        )

    def _write_bodies(self, now: datetime) -> None:
        JobBody.objects.bulk_create(
            [
                JobBody(
                    job=row,
                    compressed=JobBody.compress(clean_json(payload.job.raw)),
                    stored_at=now,
                    digest=payload.raw_digest,
                    is_partial=payload.job.is_partial,
                )
                for row, payload in self.bodies
            ],
            update_conflicts=True,
            unique_fields=["job"],
            update_fields=["compressed", "stored_at", "digest", "is_partial"],
        )

    def _write_secrets(self) -> None:
        JobSecret.objects.bulk_create(
            [JobSecret(job=row, input_url=url) for row, url in self.secrets],
            update_conflicts=True,
            unique_fields=["job"],
            update_fields=["input_url"],
        )

    def _write_polls(self, account: ProviderAccount, observed_at: datetime) -> None:
        written = [*self.updates, *self.inserts]
        JobPoll.objects.filter(job__in=[row.pk for row in written if row.is_terminal]).delete()
        unfinished = [row for row in written if not row.is_terminal and row.is_newest]
        add_polls(account, [*self.confirmed, *unfinished], observed_at)
