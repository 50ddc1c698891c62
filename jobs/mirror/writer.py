"""The one way in for what providers report: poll, webhook, submission and action all end here.

Applying the same answers twice changes nothing and writes no event; two workers may apply
answers about the same job at the same time.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from django.db import IntegrityError, OperationalError, transaction

from jobs.mirror.batch import Applied, Batch
from jobs.mirror.payload import Payload, Shape
from jobs.mirror.polling import confirm
from jobs.models import EventSource, Job, ProviderAccount
from organizations.models import Actor
from providers.core.types import ListedJob, RemoteJob

# Rows of one transaction: short enough that SQLite's single writer is never held for long.
BATCH = 200

# what an answer that reports nothing new is confirmed by
POLL_COLUMNS = ("pk", "status", "sort_at", "progress")
KNOWN_COLUMNS = (
    *POLL_COLUMNS, "remote_id", "digests", "gone_at", "poll__confirmed_at",
)  # fmt: skip


def apply(
    account: ProviderAccount,
    remote_jobs: Iterable[RemoteJob | ListedJob],
    *,
    source: EventSource,
    observed_at: datetime,
    shape: Shape | None = None,
    actor: Actor | None = None,
) -> Applied:
    """Write what the provider reported. `observed_at` is when the answer was asked for.

    `shape` is that of the payloads, by which unchanged ones are recognized; None has each compared.
    A job that another worker inserts meanwhile is compared again.
    """
    payloads = [Payload(remote, shape) for remote in remote_jobs]
    # of two about one job the first
    unique = {payload.remote_id: payload for payload in reversed(payloads) if payload.remote_id}
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

    Else an answer with new signatures of its URLs counts as one that reports nothing new.
    """
    Job.objects.filter(pk=job.pk).update(digests={})


def _apply_batch(
    account: ProviderAccount,
    payloads: Sequence[Payload],
    source: EventSource,
    observed_at: datetime,
    actor: Actor | None,
) -> Applied:
    known = _find_unchanged(account, payloads)
    unfinished = [
        Job(**{name: row[name] for name in POLL_COLUMNS})
        for row in known.values()
        if row["poll__confirmed_at"] is not None and row["poll__confirmed_at"] < observed_at
    ]
    confirm(account, unfinished, observed_at)
    applied = Applied(unchanged=[row["pk"] for row in known.values()])
    news = [payload for payload in payloads if payload.remote_id not in known]
    if news:
        with transaction.atomic():
            batch = Batch(account, source, observed_at, actor)
            batch.load([payload.job for payload in news])
            for payload in news:
                batch.stage(payload)
            applied += batch.write()
    return applied


def _find_unchanged(
    account: ProviderAccount, payloads: Sequence[Payload]
) -> dict[str, dict[str, Any]]:
    """KNOWN_COLUMNS, by remote id, of the jobs about which nothing new is reported."""
    by_id = {payload.remote_id: payload for payload in payloads}
    rows = Job.objects.filter(account=account, is_newest=True, remote_id__in=list(by_id))
    return {
        row["remote_id"]: row
        for row in rows.values(*KNOWN_COLUMNS)
        if row["gone_at"] is None and by_id[row["remote_id"]].is_among(row["digests"])
    }


def _batches(values: Iterable[Payload], size: int) -> Iterator[list[Payload]]:
    iterator = iter(values)
    while batch := list(islice(iterator, size)):
        yield batch
