"""Submitting one input of a batch after the other, no more at a time than others can wait for."""

from collections.abc import Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import structlog
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from jobs.accounts.budget import read_usages
from jobs.actions.outcome import INTERNAL_ERROR
from jobs.batches.lines import Line
from jobs.batches.service import end
from jobs.models import Batch, BatchInput, BatchState, InputOutcome, ProviderAccount, Submission
from jobs.models.submission import OPEN_STATES
from jobs.submission.duplicates import DuplicateJob
from jobs.submission.rows import BatchPlace
from jobs.submission.service import submit
from jobs.submission.stored_request import load_request
from jobs.submission.validation import SubmissionRefused
from jobs.workqueue import leases
from jobs.workqueue.leases import LeaseLost
from jobs.workqueue.reconnect import DISCONNECTED
from jobs.workqueue.short_runs import LEASE, MAX_INTERNAL_ERRORS, TOO_MANY_ERRORS, UNDER_WAY, usable
from organizations.audit.origin import Origin, acting_from
from organizations.encryption import Undecryptable

log = structlog.get_logger(__name__)


class AccountUnusable(Exception):
    """Nothing can be submitted to the account now; the message says why."""


def count_under_way(account_id: int) -> int:
    """How many jobs of batches the account's provider has still to accept."""
    open_ones = Submission.objects.filter(state__in=OPEN_STATES)
    return open_ones.filter(job__account=account_id, job__batch__isnull=False).count()


def submit_next(batch: Batch) -> bool:
    """Submit as many as may be under way; whether there are more.

    Raises LeaseLost, also where it has been stopped; AccountUnusable; Undecryptable.
    """
    room = _count_room(_account_of(batch))
    pending = batch.inputs.filter(outcome=InputOutcome.PENDING).order_by("position")
    found = list(pending.values_list("pk", flat=True)[: room + 1])
    if room:
        leases.renew(batch, LEASE)
        for pk in found[:room]:
            submit_input(batch, pk)
    return len(found) > room


def _account_of(batch: Batch) -> ProviderAccount:
    """That of a batch with inputs."""
    assert batch.account is not None  # noqa: S101 - tells mypy
    return batch.account


def _count_room(account: ProviderAccount) -> int:
    """How many more may be submitted now."""
    under_way = count_under_way(account.pk)
    room = UNDER_WAY - under_way
    usage = read_usages([account], timezone.now())[account.pk].get("submit")
    if usage is not None:
        room = min(room, usable(usage.limit) - usage.used - under_way)
    return max(room, 0)


def submit_input(batch: Batch, input_id: int) -> None:
    """Submit one, and write in the same transaction that this was done.

    So neither a second worker nor one that takes over submits it again. Raises LeaseLost,
    AccountUnusable, Undecryptable.
    """
    with acting_from(Origin(None, batch.audit_id)), transaction.atomic():
        mine = leases.held(batch).filter(state=BatchState.SENDING)
        # locked: once a stop has been answered, nothing more is submitted
        if mine.select_for_update(no_key=True).only("pk").first() is None:
            raise LeaseLost
        rows = BatchInput.objects.select_for_update(no_key=True)
        stored = rows.filter(pk=input_id, outcome=InputOutcome.PENDING).first()
        if stored is None:
            return
        values = _submit(batch, stored)
        BatchInput.objects.filter(pk=stored.pk).update(**values)
        _count(batch, values["outcome"], is_internal=values.get("reason") == INTERNAL_ERROR)


def _count(batch: Batch, outcome: InputOutcome, *, is_internal: bool) -> None:
    """Internal errors of many inputs in a row stop the batch."""
    row = Batch.objects.filter(pk=batch.pk)
    name = str(outcome)
    row.update(
        **{name: F(name) + 1}, internal_errors=F("internal_errors") + 1 if is_internal else 0
    )
    if is_internal and row.filter(internal_errors__gte=MAX_INTERNAL_ERRORS).exists():
        end(batch, BatchState.STOPPED, TOO_MANY_ERRORS)


def _submit(batch: Batch, stored: BatchInput) -> Mapping[str, Any]:
    """The values of the row after it was submitted or refused."""
    try:
        line = Line.of(stored)
        request = line.fill(load_request(batch.request))
        with transaction.atomic():
            job = submit(
                organization=batch.organization,
                account=_account_of(batch),
                request=request,
                user=batch.actor,
                token=batch.token,
                allow_duplicate=batch.allow_duplicates,
                template_version=batch.template_version,
                place=BatchPlace(batch, line.name, key_of(stored)),
            ).job
    except SubmissionRefused as error:
        if any(issue.field == "account" for issue in error.issues):
            raise AccountUnusable(str(error)) from error
        return {"outcome": InputOutcome.REFUSED, "reason": str(error)[:500]}
    except DuplicateJob as error:
        reason = f"The same job was submitted within 24 hours: job {error.job.pk}."
        return {"outcome": InputOutcome.REFUSED, "reason": reason}
    except (*DISCONNECTED, Undecryptable):
        raise
    except Exception:
        # one input must not keep the others waiting
        log.exception("input not submitted", batch=batch.pk, position=stored.position)
        return {"outcome": InputOutcome.REFUSED, "reason": INTERNAL_ERROR}
    return {"outcome": InputOutcome.SUBMITTED, "job": job, "line": None}


def key_of(stored: BatchInput) -> str:
    """Our key of its submission: always the same, so that the database takes it only once."""
    return uuid5(NAMESPACE_URL, f"reelboard:batch:{stored.batch_id}:{stored.position}").hex
