"""The one way in for what providers report: poll, webhook, submission and action all end here.

Applying the same answers twice changes nothing and writes no event; two workers may apply
answers about the same job at the same time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import IntegrityError, OperationalError, transaction

from jobs.mirror.batch import Applied, Batch
from jobs.mirror.digest import body_digest, digest
from jobs.mirror.polling import confirm
from jobs.models import EventSource, Job, ProviderAccount
from organizations.models import User
from providers.core.types import RemoteJob, RemoteOutput
from providers.parsing.text import make_storable_id

# Rows of one transaction: short enough that SQLite's single writer is never held for long.
BATCH = 200

# what an answer that reports nothing new is confirmed by
POLL_COLUMNS = ("pk", "status", "sort_at", "progress")
KNOWN_COLUMNS = (
    *POLL_COLUMNS, "remote_id", "digest", "gone_at", "poll__confirmed_at", "body__digest",
    "body__is_partial",
)  # fmt: skip


def apply(
    account: ProviderAccount,
    remote_jobs: Iterable[RemoteJob],
    *,
    source: EventSource,
    observed_at: datetime,
    actor: User | None = None,
) -> Applied:
    """Write what the provider reported. `observed_at` is when the answer was asked for.

    A job that another worker inserts meanwhile is compared again.
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


def invalidate_digest(job: Job) -> None:
    """Have the next answer about `job` compared in full.

    Else an answer that only signs its URLs anew passes for one that reports nothing new.
    """
    Job.objects.filter(pk=job.pk).update(digest="")


def _apply_batch(
    account: ProviderAccount,
    remotes: Sequence[RemoteJob],
    source: EventSource,
    observed_at: datetime,
    actor: User | None,
) -> Applied:
    digests = {remote.remote_id: digest(remote) for remote in remotes}
    known = _find_unchanged(account, remotes, digests)
    unfinished = [
        Job(**{name: row[name] for name in POLL_COLUMNS})
        for row in known.values()
        if row["poll__confirmed_at"] is not None and row["poll__confirmed_at"] < observed_at
    ]
    confirm(account, unfinished, observed_at)
    applied = Applied(unchanged=[row["pk"] for row in known.values()])
    news = [remote for remote in remotes if remote.remote_id not in known]
    if news:
        with transaction.atomic():
            batch = Batch(account, source, observed_at, actor)
            batch.load(news)
            for remote in news:
                batch.stage(remote, digests[remote.remote_id])
            applied += batch.write()
    return applied


def _find_unchanged(
    account: ProviderAccount, remotes: Sequence[RemoteJob], digests: dict[str, str]
) -> dict[str, dict[str, Any]]:
    """KNOWN_COLUMNS, by remote id, of the jobs about which nothing new is reported."""
    by_id = {remote.remote_id: remote for remote in remotes}
    rows = Job.objects.filter(account=account, is_newest=True, remote_id__in=list(by_id))
    return {
        row["remote_id"]: row
        for row in rows.values(*KNOWN_COLUMNS)
        if row["digest"] == digests[row["remote_id"]]
        and row["gone_at"] is None
        and not _is_other_body(by_id[row["remote_id"]], row)
    }


def _is_other_body(remote: RemoteJob, row: dict[str, Any]) -> bool:
    """Whether the payload replaces the stored one, if there is one."""
    if remote.raw is None or (remote.is_partial and row["body__is_partial"] is False):
        return False
    stored: str | None = row["body__digest"]
    return body_digest(remote.raw) != stored


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
