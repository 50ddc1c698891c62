"""The group of each failure: found or made in the transaction that writes the failure."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from django.db.models.functions import Coalesce

from jobs.mirror.rules.fingerprint import VERSION, fingerprint, normalize_message
from jobs.models import GroupMark, GroupState, Job, JobErrorGroup
from providers.core.status import JobStatus


class Cause(NamedTuple):
    """What a failure is grouped by: its class and the normalized message."""

    error_class: str
    message: str

    @classmethod
    def of(cls, job: Job) -> "Cause":
        # a code is the same for each job, whatever it looks like
        return cls(job.error_class, normalize_message(job.error_message) or job.error_code)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.error_class, self.message)


class Known(NamedTuple):
    """A stored group, and what is known of the one that people see."""

    pk: int
    root: int
    state: str
    resolved_at: datetime | None


def assign_groups(jobs: Collection[Job], now: datetime, *, is_import: bool) -> None:
    """Set `error_group` of jobs of one organization, whose failures are about to be written.

    Two or three statements, however many jobs; none where no job failed. A job that has not failed
    leaves its group. `is_import`: what an account's first import finds is no news, so it makes no
    group new.
    """
    causes: dict[str, Cause] = {}
    failed: list[tuple[Job, str]] = []
    for job in jobs:
        if job.status != JobStatus.FAILED:
            job.error_group_id = None
            continue
        cause = Cause.of(job)
        failed.append((job, cause.fingerprint))
        causes.setdefault(cause.fingerprint, cause)
    if not failed:
        return
    organization = failed[0][0].organization_id
    known = _find(organization, causes)
    missing = {digest: cause for digest, cause in causes.items() if digest not in known}
    if missing:
        _create(organization, missing, now, is_import=is_import)
        known |= _find(organization, missing)
    for job, digest in failed:
        job.error_group_id = known[digest].pk
    _reopen(failed, known, now)


def refresh_group(pk: int, now: datetime) -> None:
    """Give the stored job the group of its failure. Call it where its failure is written."""
    job = Job.objects.get(pk=pk)
    assign_groups([job], now, is_import=False)
    Job.objects.filter(pk=pk).update(error_group=job.error_group_id)


def _find(organization: int, digests: Iterable[str]) -> dict[str, Known]:
    root = Coalesce("merged_into", "id")
    rows = JobErrorGroup.objects.filter(organization=organization, fingerprint__in=list(digests))
    found = rows.values_list(
        "fingerprint",
        "pk",
        root,
        Coalesce("merged_into__state", "state"),
        # of a root, so that a group which was resolved before it was merged does not count
        Coalesce("merged_into__resolved_at", "resolved_at"),
    )
    return {digest: Known(*values) for digest, *values in found}


def _create(
    organization: int, causes: Mapping[str, Cause], now: datetime, *, is_import: bool
) -> None:
    """Those that another worker makes at the same time are left to it."""
    JobErrorGroup.objects.bulk_create(
        [
            JobErrorGroup(
                organization_id=organization,
                fingerprint=digest,
                version=VERSION,
                error_class=cause.error_class,
                message=cause.message,
                created_at=now,
                mark=GroupMark.NONE if is_import else GroupMark.NEW,
                marked_at=None if is_import else now,
            )
            # in one order, so that two workers wait for each other once and not crosswise
            for digest, cause in sorted(causes.items())
        ],
        ignore_conflicts=True,
    )


def _reopen(failed: Iterable[tuple[Job, str]], known: Mapping[str, Known], now: datetime) -> None:
    """Open resolved groups in which a job failed after that, whenever we hear of it."""
    returned: dict[int, datetime] = {}
    for job, digest in failed:
        group, failed_at = known[digest], job.ended_at or job.sort_at
        if group.state != GroupState.RESOLVED or group.resolved_at is None:
            continue
        if group.resolved_at < failed_at:
            returned[group.root] = max(failed_at, returned.get(group.root, failed_at))
    for root, failed_at in sorted(returned.items()):
        # unless it was resolved again meanwhile
        JobErrorGroup.objects.filter(
            pk=root, state=GroupState.RESOLVED, resolved_at__lt=failed_at
        ).update(state=GroupState.OPEN, mark=GroupMark.RETURNED, marked_at=now)
