"""The rows that one batch may change, read and, on PostgreSQL, locked in one order."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from jobs.mirror.payload import Payload
from jobs.models import (
    IdempotencyKey,
    Job,
    JobAction,
    JobBody,
    JobEvent,
    MovedEnd,
    Output,
    ProviderAccount,
    Submission,
)
from providers.core.types import RemoteJob


class Rerun(NamedTuple):
    """A native resubmit that no answer has confirmed: the attempt before, and when it was sent."""

    before: Job | None
    sent_at: datetime | None


class StoredBody(NamedTuple):
    """What is known of a stored payload without reading it."""

    digest: str
    is_partial: bool

    def is_replaced_by(self, payload: Payload) -> bool:
        """By another one, but a complete one by no partial one."""
        if payload.job.is_partial != self.is_partial:
            return self.is_partial
        return payload.raw_digest != self.digest


@dataclass
class StoredRows:
    # newest attempts by remote id
    jobs: dict[str, Job] = field(default_factory=dict)
    # submitted jobs that the provider has not named yet, by our key
    submitted: dict[str, Job] = field(default_factory=dict)
    # by the id of the attempt that was asked for
    reruns: dict[int, Rerun] = field(default_factory=dict)
    # by job and remote id
    outputs: dict[int, dict[str, Output]] = field(default_factory=dict)
    bodies: dict[int, StoredBody] = field(default_factory=dict)

    @classmethod
    def load(cls, account: ProviderAccount, remotes: Collection[RemoteJob]) -> "StoredRows":
        rows = cls()
        # First: the lock waits for whoever binds one of these meanwhile, and the jobs read after
        # that are with it. The other way round it would be in neither, and be taken for a new job.
        keys = [one.key for one in remotes if one.key]
        if keys:
            waiting = _locked_jobs("submission").filter(
                account=account, remote_id__isnull=True, submission__key__in=keys
            )
            rows.submitted = {row.submission.key: row for row in waiting}
        found = _locked_jobs("retry_of", "poll").filter(
            account=account, is_newest=True, remote_id__in=[one.remote_id for one in remotes]
        )
        rows.jobs = {row.remote_id: row for row in found if row.remote_id}
        if rows.submitted:
            rows._merge_duplicates(remotes)
        rows._load_reruns()
        before = [rerun.before for rerun in rows.reruns.values() if rerun.before]
        pks = [row.pk for row in (*rows.jobs.values(), *rows.submitted.values(), *before)]
        rows._load_parts(pks)
        return rows

    def _merge_duplicates(self, remotes: Collection[RemoteJob]) -> None:
        """Let a waiting submission take over the row under which the list brought its job.

        That happens where a list does not carry our key. The submission's row stays, since its
        id was given out; a job that another submission made is left alone.
        """
        for remote in remotes:
            waiting = self.submitted.get(remote.key or "")
            listed = self.jobs.get(remote.remote_id)
            if waiting is None or listed is None or Submission.objects.filter(job=listed).exists():
                continue
            waiting.attempt, waiting.retry_of = listed.attempt, listed.retry_of or waiting.retry_of
            for model in (Output, JobEvent, JobAction, IdempotencyKey):
                model._default_manager.filter(job=listed).update(job=waiting)
            Job.objects.filter(retry_of=listed).update(retry_of=waiting)
            MovedEnd.record(listed.organization_id, [listed.ended_at])
            listed.delete()
            del self.jobs[remote.remote_id]

    def _load_reruns(self) -> None:
        attempts = [row for row in self.jobs.values() if row.is_awaiting_rerun]
        if not attempts:
            return
        before = _locked_jobs("retry_of", "poll").filter(
            pk__in=[row.retry_of_id for row in attempts]
        )
        found = {row.pk: row for row in before}
        actions = JobAction.objects.filter(job__in=[row.pk for row in attempts])
        sent_at = dict(actions.values_list("job", "sent_at"))
        self.reruns = {
            row.pk: Rerun(found.get(row.retry_of_id or 0), sent_at.get(row.pk)) for row in attempts
        }

    def _load_parts(self, pks: list[int]) -> None:
        for output in Output.objects.filter(job__in=pks):
            self.outputs.setdefault(output.job_id, {})[output.remote_id] = output
        bodies = JobBody.objects.filter(job__in=pks).values_list("pk", "digest", "is_partial")
        self.bodies = {pk: StoredBody(digest, is_partial) for pk, digest, is_partial in bodies}


def _locked_jobs(*related: str) -> QuerySet[Job]:
    return Job.objects.select_for_update(of=("self",)).select_related(*related).order_by("pk")
