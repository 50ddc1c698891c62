"""Asking for the action on one job after the other, no more at a time than others can wait for."""

from collections.abc import Mapping
from typing import Any

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from jobs.actions.offers import ActionRefused
from jobs.actions.outcome import INTERNAL_ERROR
from jobs.bulk.actions.registry import action_of
from jobs.bulk.pacing import count_room
from jobs.bulk.service import end
from jobs.models import BulkAction, BulkOutcome, BulkState, BulkTarget, Job
from jobs.models.bulk.action import OPEN_STATES
from jobs.submission.validation import SubmissionRefused
from jobs.workqueue import leases
from jobs.workqueue.leases import LeaseLost
from jobs.workqueue.reconnect import DISCONNECTED
from jobs.workqueue.short_runs import LEASE, MAX_INTERNAL_ERRORS, TOO_MANY_ERRORS
from organizations.audit.origin import Origin, acting_from

log = structlog.get_logger(__name__)


def request_next(bulk: BulkAction) -> None:
    """Ask for as many as may be under way. Raises LeaseLost, also where it has been stopped."""
    for account, room in count_room(bulk, timezone.now()).items():
        if room <= 0:
            continue
        leases.renew(bulk, LEASE)
        pending = bulk.targets.filter(account=account, outcome=BulkOutcome.PENDING)
        for pk in list(pending.order_by("pk").values_list("pk", flat=True)[:room]):
            request_target(bulk, pk)


def request_target(bulk: BulkAction, target_id: int) -> None:
    """Ask for one, and write in the same transaction that this was done.

    So neither a second worker nor one that takes over asks again. Raises LeaseLost.
    """
    with acting_from(Origin(None, bulk.audit_id)), transaction.atomic():
        mine = leases.held(bulk).filter(state__in=OPEN_STATES)
        # locked: once a stop has been answered, nothing more is requested
        if mine.select_for_update(no_key=True).only("pk").first() is None:
            raise LeaseLost
        targets = BulkTarget.objects.select_for_update(no_key=True, of=("self",))
        target = (
            targets.select_related("job__account", "job__organization")
            .filter(pk=target_id, outcome=BulkOutcome.PENDING)
            .first()
        )
        if target is not None:
            write_outcome(bulk, target, **_request(bulk, target.job))


def write_outcome(
    bulk: BulkAction, target: BulkTarget, outcome: BulkOutcome, **values: Any
) -> None:
    """Write what became of a target, and count it; inside a transaction.

    Internal errors of many jobs in a row stop the action.
    """
    is_settled = outcome not in (BulkOutcome.PENDING, BulkOutcome.SENT)
    if is_settled:
        values["settled_at"] = timezone.now()
    same = BulkTarget.objects.filter(pk=target.pk, outcome=target.outcome)
    if not same.update(outcome=outcome, **values) or not is_settled:
        return
    name = str(outcome)
    is_internal = values.get("reason") == INTERNAL_ERROR
    row = BulkAction.objects.filter(pk=bulk.pk)
    row.update(
        **{name: F(name) + 1}, internal_errors=F("internal_errors") + 1 if is_internal else 0
    )
    if is_internal and row.filter(internal_errors__gte=MAX_INTERNAL_ERRORS).exists():
        end(bulk, BulkState.STOPPED, TOO_MANY_ERRORS)


def _request(bulk: BulkAction, job: Job) -> Mapping[str, Any]:
    try:
        with transaction.atomic():
            return action_of(bulk).request(bulk, job)
    except (ActionRefused, SubmissionRefused) as error:
        return {"outcome": BulkOutcome.REFUSED, "reason": str(error)[:500]}
    except DISCONNECTED:
        raise
    except Exception:
        # one job must not keep the others waiting
        log.exception("bulk target failed", bulk=bulk.pk, job=job.pk)
        return {"outcome": BulkOutcome.FAILED, "reason": INTERNAL_ERROR}
