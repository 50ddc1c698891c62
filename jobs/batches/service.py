"""Starting a batch, stopping it, and having the rest of it submitted."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from django.db import IntegrityError, transaction
from django.utils import timezone

from jobs.batches.lines import Line
from jobs.models import Batch, BatchInput, BatchState, ProviderAccount, TemplateVersion
from jobs.query.visibility import Visibility
from jobs.submission import idempotency
from jobs.submission.idempotency import CallerKey
from jobs.submission.stored_request import dump_request
from jobs.workqueue.enqueue import enqueue_on_commit
from jobs.workqueue.long_work import KeyOfDeletedWork, NotStarted, WorkEnded, record
from organizations.models import Actor, ApiToken, User
from providers.core.types import JobRequest
from providers.http.redaction import split_url

CHUNK = 1_000
NAME_TAKEN = "Another batch has this name."


class BatchRefused(NotStarted):
    pass


class BatchEnded(WorkEnded):
    pass


class KeyOfDeletedBatch(KeyOfDeletedWork):
    pass


@dataclass(frozen=True, slots=True)
class NewBatch:
    """What somebody asks for, with lines that were checked.

    `request` is what all lines share; its input is that of no line.
    """

    visible: Visibility
    account: ProviderAccount
    name: str
    request: JobRequest = field(repr=False)
    lines: Sequence[Line] = field(repr=False)
    allow_duplicates: bool = False
    # what `request` was made of, for the record
    template_version: TemplateVersion | None = None


def create(
    new: NewBatch,
    *,
    user: User | None = None,
    token: ApiToken | None = None,
    key: CallerKey | None = None,
) -> Batch:
    """Store the batch, which a worker submits; sends nothing itself.

    The same `key` again returns the batch that it made. Raises BatchRefused for a name that another
    batch has; KeyRefused, KeyOfDeletedBatch.
    """
    if (made := find_made(new.visible, key)) is not None:
        return made
    check_name(new.visible, new.name)
    try:
        with transaction.atomic():
            batch = _write(new, user, token)
            idempotency.store(new.visible.organization, key, batch)
            enqueue_on_commit("run_batch", batch.pk)
    except IntegrityError:
        # the other half of a double click, or somebody who chose the same name
        if (made := find_made(new.visible, key)) is not None:
            return made
        check_name(new.visible, new.name)
        raise
    return batch


def check_name(visible: Visibility, name: str) -> None:
    """Raise BatchRefused where another batch of the organization has the name."""
    if Batch.objects.filter(organization=visible.organization, name=name).exists():
        raise BatchRefused({"name": NAME_TAKEN})


def find_made(visible: Visibility, key: CallerKey | None) -> Batch | None:
    """What the key made before; None for a new key, or none.

    Raises KeyRefused, KeyOfDeletedBatch.
    """
    known = idempotency.find_known(visible.organization, key, "batch")
    if known is not None and known.batch is None:
        raise KeyOfDeletedBatch("The batch that was started with this key has been deleted.")
    return known.batch if known is not None else None


def _write(new: NewBatch, user: User | None, token: ApiToken | None) -> Batch:
    now = timezone.now()
    batch = Batch.objects.create(
        organization=new.visible.organization,
        account=new.account,
        name=new.name,
        request=dump_request(new.request),
        template_version=new.template_version,
        allow_duplicates=new.allow_duplicates,
        actor=user,
        token=token,
        created_at=now,
        next_at=now,
        total=len(new.lines),
    )
    rows = (
        BatchInput(
            batch=batch,
            position=position,
            url=split_url(line.input)[0],
            name=line.name,
            line=line.dump(),
        )
        for position, line in enumerate(new.lines, 1)
    )
    BatchInput.objects.bulk_create(rows, batch_size=CHUNK)
    details = {"account": new.account.name, "inputs": len(new.lines)}
    record(batch, "batch.started", user or token, details)
    return batch


def stop(batch: Batch, *, actor: Actor) -> None:
    """Submit no more inputs; what was submitted stays. Twice is once. Raises BatchEnded."""
    with transaction.atomic():
        # behind the input that a worker is at, after which it sees this
        current = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if current.state == BatchState.SENT:
            raise BatchEnded("All of its inputs have been submitted.")
        if current.is_open:
            end(current, BatchState.STOPPED)
            record(current, "batch.stopped", actor)


def resume(batch: Batch, *, actor: Actor) -> None:
    """Submit the rest of a stopped batch, in the name of `actor`. Twice is once.

    Raises BatchEnded.
    """
    with transaction.atomic():
        current = Batch.objects.select_for_update(no_key=True).get(pk=batch.pk)
        if current.state == BatchState.SENT:
            raise BatchEnded("All of its inputs have been submitted.")
        if current.is_open:
            return
        Batch.objects.filter(pk=batch.pk).update(
            state=BatchState.SENDING,
            actor=actor if isinstance(actor, User) else None,
            token=actor if isinstance(actor, ApiToken) else None,
            next_at=timezone.now(),
            ended_at=None,
            note="",
            internal_errors=0,
        )
        record(current, "batch.resumed", actor)
        enqueue_on_commit("run_batch", batch.pk)


def end(batch: Batch, state: BatchState, note: str = "") -> None:
    """Write that no more inputs are submitted, unless that was written already."""
    Batch.objects.filter(pk=batch.pk, state=BatchState.SENDING).update(
        state=state, note=note[:500], ended_at=timezone.now(), next_at=None
    )
