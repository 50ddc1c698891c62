"""`/batches`: many inputs submitted with the same settings."""

from collections.abc import Collection, Sequence
from typing import Any

from ninja import Query, Router, Status
from pydantic import BaseModel

from jobs.api.actions.bulk import RequiredKey
from jobs.api.actions.jobs import find_template_named
from jobs.api.auth import ApiRequest, TokenAuth, visible_to
from jobs.api.errors import (
    LIST_REFUSALS,
    READ_REFUSALS,
    SUBMIT_REFUSALS,
    ApiError,
    ErrorBody,
    invalid,
    not_found,
)
from jobs.api.http.idempotency_key import read_key
from jobs.api.list_parameters import read_filters
from jobs.api.schemas.batches import BatchDetail, BatchList, BatchRequestBody, BatchShape
from jobs.api.schemas.parameters import Cursor, Limit
from jobs.batches import service
from jobs.batches.checking import Checked, check_lines
from jobs.batches.figures import read_figures, state_of
from jobs.batches.from_bucket import ListingRefused, find_inputs
from jobs.batches.lines import Line
from jobs.batches.listing import BatchFilter
from jobs.batches.service import BatchRefused, KeyOfDeletedBatch, NewBatch
from jobs.models import Batch, InputOutcome
from jobs.query.references import find_accounts, find_by_id
from jobs.query.visibility import Visibility
from jobs.submission.idempotency import KeyRefused
from jobs.submission.templates.settings import request_from
from jobs.submission.validation import SubmissionRefused
from organizations.permissions import Permission
from providers.core.types import JobRequest

router = Router(tags=["batches"], by_alias=True)

MAX_REFUSED = 100


class ListParameters(BaseModel):
    """Documents the query string; BatchFilter reads it."""

    limit: Limit = ""
    cursor: Cursor = ""


@router.post(
    "",
    auth=TokenAuth(Permission.SUBMIT),
    response={202: BatchShape, 409: ErrorBody, **SUBMIT_REFUSALS},
    summary="Submit a batch",
)
def submit_batch(
    request: ApiRequest, body: BatchRequestBody, idempotency_key: RequiredKey
) -> Status[dict[str, Any]]:
    """Submit up to 10,000 inputs with the same settings: answers 202, and a worker submits them.

    Each becomes one job, never faster than the account allows, and behind jobs that people submit.
    Every input is checked first: 422 names what is wrong as `inputs.0.input`, and then nothing is
    sent. A bucket is listed before the answer. The same `Idempotency-Key` and body again answer
    202 and the same batch.
    """
    visible = visible_to(request)
    try:
        key = read_key(request, idempotency_key, "batch", body)
        batch = service.find_made(visible, key)
        if batch is None:
            batch = service.create(_check(request, body), token=request.auth, key=key)
    except KeyRefused as error:
        raise invalid({"Idempotency-Key": str(error)}) from error
    except KeyOfDeletedBatch as error:
        raise ApiError(409, "batch_deleted", str(error)) from error
    except BatchRefused as error:
        raise invalid(error.fields) from error
    except SubmissionRefused as error:
        raise invalid({issue.field: issue.message for issue in error.issues}) from error
    return Status(202, _shapes(visible, [batch])[0])


@router.get("", response={200: BatchList, **LIST_REFUSALS}, summary="List batches")
def list_batches(request: ApiRequest, parameters: Query[ListParameters]) -> dict[str, Any]:
    """Newest first."""
    visible, filters = visible_to(request), read_filters(BatchFilter, request)
    try:
        page = filters.page(visible.batches().select_related("account", "actor", "token"))
    except ValueError as error:
        raise invalid({"cursor": str(error)}) from error
    return {"results": _shapes(visible, page.rows), "next": page.next}


@router.get("/{batch_id}", response={200: BatchDetail, **READ_REFUSALS}, summary="Read a batch")
def read_batch(request: ApiRequest, batch_id: str) -> dict[str, Any]:
    """How far it has got. `GET /jobs?batch=ID` lists its jobs."""
    visible = visible_to(request)
    batch = find_by_id(visible.batches().select_related("account", "actor", "token"), batch_id)
    if batch is None:
        raise not_found()
    refused = batch.inputs.filter(outcome=InputOutcome.REFUSED).order_by("position")
    return _shapes(visible, [batch])[0] | {
        "refused": [
            {"index": one.position - 1, "input": one.url, "reason": one.reason}
            for one in refused.defer("line")[:MAX_REFUSED]
        ]
    }


def _check(request: ApiRequest, body: BatchRequestBody) -> NewBatch:
    """The batch, with inputs that can be submitted. Raises ApiError, BatchRefused."""
    visible = visible_to(request)
    account = find_accounts(visible.accounts(), [body.account]).get(body.account)
    if account is None:
        raise invalid({"account": "No account has this id or name."})
    service.check_name(visible, body.name)
    lines = _list_bucket(visible, body) or [one.as_line() for one in body.inputs or ()]
    version = find_template_named(request, body.template)
    given = {"input": "", **body.request.given_fields()}
    shared = request_from(version, account, given) if version else JobRequest(**given)
    found = check_lines(account, shared, lines, allow_duplicates=body.allow_duplicates)
    if fields := _fields(found, lines, is_listed=body.inputs_from is not None):
        raise invalid(fields)
    return NewBatch(visible, account, body.name, shared, lines, body.allow_duplicates, version)


def _list_bucket(visible: Visibility, body: BatchRequestBody) -> list[Line]:
    """The objects, all of them; none where inputs were sent. Raises ApiError."""
    if (asked := body.inputs_from) is None:
        return []
    try:
        found = find_inputs(visible.organization, asked.source, asked.prefix, asked.pattern)
    except ListingRefused as error:
        raise invalid({f"inputs_from.{error.field}": str(error)}) from error
    if found.missing:
        raise invalid({"inputs_from.prefix": found.missing})
    if found.unusable:
        message = f"No input can hold the names of {found.unusable:,} of these objects."
        raise invalid({"inputs_from.pattern": message})
    return [Line(text) for text in found.inputs]


def _fields(found: Checked, lines: Sequence[Line], *, is_listed: bool) -> dict[str, str]:
    shared = {
        name if name == "account" else f"request.{name}": message
        for name, message in found.common.items()
    }
    if is_listed:
        return shared | {
            f"inputs_from.{one.index}": f"{lines[one.index].input}: {one.message}"
            for one in found.problems
        }
    return shared | {f"inputs.{one.index}.{one.field}": one.message for one in found.problems}


def _shapes(visible: Visibility, batches: Collection[Batch]) -> list[dict[str, Any]]:
    figures = read_figures(visible, batches)
    return [
        {
            "id": batch.pk,
            "name": batch.name,
            "account": batch.account,
            "state": state_of(batch, figures[batch.pk]),
            "note": batch.note,
            "total": batch.total,
            "succeeded": figures[batch.pk].succeeded,
            "failed": figures[batch.pk].failed,
            "cancelled": figures[batch.pk].cancelled,
            "remaining": figures[batch.pk].remaining,
            "requester_name": batch.requester_name,
            "created_at": batch.created_at,
        }
        for batch in batches
    ]
