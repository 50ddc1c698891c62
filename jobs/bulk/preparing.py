"""Writing down which jobs a bulk action acts on, chunk by chunk."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from jobs.bulk.actions.base import Action
from jobs.bulk.actions.registry import action_of
from jobs.bulk.counting import Tally
from jobs.bulk.left_out import add_counts
from jobs.bulk.selection import Chunk, Selection
from jobs.bulk.service import MAX_IDS, end
from jobs.models import BulkAction, BulkState, BulkTarget
from jobs.query.search.matches import are_among
from jobs.workqueue import leases
from jobs.workqueue.leases import LeaseLost

CHUNK = MAX_IDS


def prepare_chunk(bulk: BulkAction) -> None:
    """Write the next targets and, in the same transaction, the cursor of the chunk after them.

    A query that cannot be read any more, such as one with an account that has been renamed, stops
    the action. Raises LeaseLost.
    """
    selection = Selection.of(bulk)
    if selection.error:
        end(bulk, BulkState.STOPPED, f"The query cannot be read any more. {selection.error}")
        bulk.refresh_from_db(fields=["state", "next_at"])
        return
    action = action_of(bulk)
    found = _read(selection, action, bulk)
    left = None if bulk.limit is None else bulk.limit - bulk.targets_found
    with transaction.atomic():
        tally = Tally(left)
        tally.add(found.jobs, _find_known(bulk, found))
        _write(bulk, action, found, tally)


def _read(selection: Selection, action: Action, bulk: BulkAction) -> Chunk:
    try:
        return selection.read(action, CHUNK, bulk.cursor)
    except ValueError:
        # the key that signed the cursor has been replaced
        bulk.matched, bulk.left_out = 0, {}
        return selection.read(action, CHUNK)


def _find_known(bulk: BulkAction, found: Chunk) -> set[int]:
    """Those that are targets already: a job may move in the list while it is read."""
    targets = BulkTarget.objects.filter(are_among([job.pk for job in found.jobs], "job_id"))
    return set(targets.filter(bulk=bulk).values_list("job", flat=True))


def _write(bulk: BulkAction, action: Action, found: Chunk, tally: Tally) -> None:
    is_last = found.next is None or tally.is_full
    values: dict[str, Any] = {
        "cursor": "" if is_last else found.next,
        "matched": bulk.matched + tally.matched,
        "left_out": add_counts(bulk.left_out, tally.left_out),
        "accounts": _add_accounts(bulk.accounts, tally.accounts),
    }
    if is_last:
        values |= {"state": BulkState.RUNNING, "prepared_at": timezone.now()}
    # by condition: another worker may have it, or somebody has stopped it
    mine = leases.held(bulk).filter(state=BulkState.PREPARING, cursor=bulk.cursor)
    if not mine.update(**values):
        raise LeaseLost
    targets = [
        BulkTarget(bulk=bulk, job_id=job.pk, account_id=action.find_asked_for(job.account_id))
        for job in tally.chosen
    ]
    BulkTarget.objects.bulk_create(targets, batch_size=CHUNK)
    for name, value in values.items():
        setattr(bulk, name, value)


def _add_accounts(known: Mapping[str, int], counted: Counter[int]) -> dict[str, int]:
    """As a JSON object has it: its names are texts."""
    return dict(Counter(known) + Counter({str(pk): count for pk, count in counted.items()}))
