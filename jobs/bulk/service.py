"""Starting a bulk action, stopping it, and having the rest of it run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from jobs.batches.adding import create_empty
from jobs.batches.service import BatchRefused, check_name
from jobs.bulk.actions.base import Action, Options
from jobs.bulk.actions.registry import build_action
from jobs.bulk.counting import Preview, preview
from jobs.bulk.left_out import describe_left_out
from jobs.bulk.selection import Selection
from jobs.models import BulkAction, BulkKind, BulkState, Job
from jobs.models.bulk.action import OPEN_STATES
from jobs.query.visibility import Visibility
from jobs.submission import idempotency
from jobs.submission.idempotency import CallerKey
from jobs.workqueue.enqueue import enqueue_on_commit
from jobs.workqueue.long_work import KeyOfDeletedWork, NotStarted, WorkEnded, record
from organizations.models import Actor, ApiToken, User

MAX_IDS = 1_000


class BulkRefused(NotStarted):
    """Names of `fields` are those of a request, such as `q` and `account`."""


class BulkEnded(WorkEnded):
    pass


class KeyOfDeletedBulk(KeyOfDeletedWork):
    pass


@dataclass(frozen=True, slots=True)
class BulkRequest:
    """What somebody asks for: the jobs of a `query`, or with some `ids`.

    `options` are checked: see jobs.bulk.actions.choosing.
    `limit`: how many jobs are acted on at most. `zone` is that of dates in the query; None for the
    organization's. `at`: when the query was asked; None for now.
    """

    kind: BulkKind
    visible: Visibility
    query: str = ""
    ids: Sequence[int] | None = None
    limit: int | None = None
    reason: str = ""
    zone: tzinfo | None = None
    at: datetime | None = None
    # the newest job that counts; None for the newest of all
    last_job_id: int | None = None
    options: Options = field(default_factory=Options)

    @property
    def action(self) -> Action:
        return build_action(self.kind, self.options)

    def select(self) -> Selection:
        """The jobs, with relative times and the newest job fixed. Raises BulkRefused."""
        newest: int = Job.objects.aggregate(last=Max("pk"))["last"] or 0
        selection = Selection(
            self.visible,
            self.query,
            None if self.ids is None else tuple(dict.fromkeys(self.ids)),
            self.at or timezone.now(),
            newest if self.last_job_id is None else min(newest, self.last_job_id),
            self.zone,
        )
        if selection.error:
            raise BulkRefused({"q": selection.error})
        if unknown := selection.find_unknown():
            listed = ", ".join(map(str, unknown))
            raise BulkRefused({"ids": f"No job has one of these ids: {listed}."})
        return selection


def start(
    request: BulkRequest,
    *,
    user: User | None = None,
    token: ApiToken | None = None,
    key: CallerKey | None = None,
    found: Preview | None = None,
) -> BulkAction:
    """Store the action, which a worker carries out; writes nothing else.

    `found` is what it would do, where that has just been counted. The same `key` again returns
    the action that it made. Raises BulkRefused, also where there is nothing to do; KeyRefused,
    KeyOfDeletedBulk.
    """
    organization = request.visible.organization
    if (made := find_made(request.visible, key)) is not None:
        return made
    selection = request.select()
    if found is None:
        found = preview(selection, request.action, request.limit)
    if not found.can_start and found.is_refused:
        raise BulkRefused({"account": why_refused(found)})
    if not found.can_start:
        message = why_nothing(request.visible, found)
        raise BulkRefused({"q" if request.ids is None else "ids": message})
    try:
        with transaction.atomic():
            bulk = _write(request, selection, user, token)
            idempotency.store(organization, key, bulk)
            enqueue_on_commit("run_bulk", bulk.pk)
    except IntegrityError:
        # the other half of a double click
        if (made := find_made(request.visible, key)) is not None:
            return made
        # or somebody who chose the same name
        _check_name(request)
        raise
    return bulk


def find_made(visible: Visibility, key: CallerKey | None) -> BulkAction | None:
    """What the key made before; None for a new key, or none.

    Raises KeyRefused, KeyOfDeletedBulk.
    """
    known = idempotency.find_known(visible.organization, key, "bulk")
    if known is not None and known.bulk is None:
        raise KeyOfDeletedBulk("The bulk action that was started with this key has been deleted.")
    return known.bulk if known is not None else None


def why_nothing(visible: Visibility, found: Preview) -> str:
    """Why there is nothing to do."""
    if not found.matched:
        return "No job matches."
    reasons = "; ".join(
        f"{row.sentence}: {row.count:,}" for row in describe_left_out(visible, found.left_out)
    )
    return f"No job that matches can be acted on. {reasons}."


def why_refused(found: Preview) -> str:
    """Why none of the jobs can be sent to the account that was chosen."""
    reasons = found.sample.refused if found.sample else []
    return f"None of the jobs can be sent there. {' '.join(one.reason for one in reasons)}"


def _check_name(request: BulkRequest) -> None:
    try:
        check_name(request.visible, request.options.new_batch)
    except BatchRefused as error:
        raise BulkRefused({"new_batch": str(error)}) from error


def _write(
    request: BulkRequest, selection: Selection, user: User | None, token: ApiToken | None
) -> BulkAction:
    visible, options = request.visible, request.options
    batch = options.batch
    if options.new_batch:
        batch = create_empty(visible.organization, options.new_batch, user=user, token=token)
    bulk = BulkAction.objects.create(
        organization=visible.organization,
        kind=request.kind,
        target_account=options.account,
        presets=list(options.presets),
        batch=batch,
        reason=request.reason,
        actor=user,
        token=token,
        query=selection.query,
        job_ids=None if selection.job_ids is None else list(selection.job_ids),
        time_zone=str(request.zone or ""),
        last_job_id=selection.last_job_id,
        account_ids=None if visible.account_ids is None else sorted(visible.account_ids),
        member_id=visible.member_id,
        limit=request.limit,
        created_at=selection.at,
        next_at=timezone.now(),
    )
    asked = {"query": bulk.query} if bulk.job_ids is None else {"jobs": len(bulk.job_ids)}
    limit = {"limit": bulk.limit} if bulk.limit else {}
    chosen = {"batch": batch.name} if batch else {}
    if options.account:
        chosen["account"] = options.account.name
    details = {"action": bulk.kind, **chosen, **asked, **limit}
    record(bulk, "bulk.started", user or token, details, bulk.reason)
    return bulk


def stop(bulk: BulkAction, *, actor: Actor) -> None:
    """Request no more jobs; what is under way is still answered. Twice is once.

    Raises BulkEnded.
    """
    with transaction.atomic():
        # behind the request that a worker is at, after which it sees this
        current = BulkAction.objects.select_for_update(no_key=True).get(pk=bulk.pk)
        if current.state == BulkState.DONE:
            raise BulkEnded("It has already ended.")
        if current.is_open:
            end(current, BulkState.STOPPED)
            record(current, "bulk.stopped", actor)


def resume(bulk: BulkAction, *, actor: Actor, key: CallerKey | None = None) -> None:
    """Run the rest of a stopped action, in the name of `actor`. Twice is once.

    The same `key` again changes nothing, also where it has been stopped since. Raises BulkEnded,
    KeyRefused.
    """
    with transaction.atomic():
        current = BulkAction.objects.select_for_update(no_key=True).get(pk=bulk.pk)
        # behind the lock: of two calls with one key the second finds what the first stored
        if idempotency.find_known(current.organization, key) is not None:
            return
        if current.state == BulkState.DONE:
            raise BulkEnded("It has already ended.")
        if current.results_deleted_at is not None:
            raise BulkEnded("Its results have been deleted: what is left is not known any more.")
        idempotency.store(current.organization, key, current)
        if current.is_open:
            return
        BulkAction.objects.filter(pk=bulk.pk).update(
            state=BulkState.RUNNING if current.prepared_at else BulkState.PREPARING,
            actor=actor if isinstance(actor, User) else None,
            token=actor if isinstance(actor, ApiToken) else None,
            next_at=timezone.now(),
            ended_at=None,
            internal_errors=0,
            note="",
        )
        record(current, "bulk.resumed", actor)
        enqueue_on_commit("run_bulk", bulk.pk)


def end(bulk: BulkAction, state: BulkState, note: str = "") -> None:
    """Write that an open action has ended, unless it has already."""
    now = timezone.now()
    BulkAction.objects.filter(pk=bulk.pk, state__in=OPEN_STATES).update(
        state=state,
        note=note[:500],
        ended_at=now,
        # what a stopped one has under way is still to be settled
        next_at=None if state == BulkState.DONE else now,
    )
