"""`/bulk`: one action on many jobs."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any

from ninja import Header, Query, Router, Status
from pydantic import BaseModel, Field

from jobs.api.auth import ApiRequest, TokenAuth, visible_to
from jobs.api.errors import (
    ACTION_REFUSALS,
    READ_REFUSALS,
    SUBMIT_REFUSALS,
    ApiError,
    ErrorBody,
    invalid,
    not_found,
)
from jobs.api.http.idempotency_key import KeyHeader, KeyText, read_key
from jobs.api.list_parameters import read_filters
from jobs.api.schemas.bulk import (
    OUTCOMES,
    BulkPreview,
    BulkRequestBody,
    BulkResults,
    BulkShape,
)
from jobs.api.schemas.parameters import Cursor, Limit, one_of
from jobs.bulk import service
from jobs.bulk.actions.choosing import read_options
from jobs.bulk.counting import preview
from jobs.bulk.left_out import describe_left_out
from jobs.bulk.results import ResultFilter, find_bulk
from jobs.bulk.service import BulkEnded, BulkRefused, BulkRequest, KeyOfDeletedBulk
from jobs.models import BulkAction, BulkKind, BulkOutcome, BulkTarget
from jobs.query.visibility import Visibility
from jobs.submission import idempotency
from jobs.submission.idempotency import CallerKey, KeyRefused
from organizations.permissions import Permission

router = Router(tags=["bulk actions"], by_alias=True)

RequiredKey = Annotated[
    KeyText,
    Header(
        alias="Idempotency-Key",
        description="Chosen by the caller, a new one for each request: a call that is repeated "
        "with the same key is carried out once. A dry run does not use it up.",
    ),
]


class ResultParameters(BaseModel):
    """Documents the query string; ResultFilter reads it."""

    outcome: Annotated[list[str], one_of(OUTCOMES)] = Field([], description="With these outcomes.")
    limit: Limit = ""
    cursor: Cursor = ""


@router.post(
    "",
    auth=TokenAuth(Permission.ACT),
    response={202: BulkShape, 200: BulkPreview, 409: ErrorBody, **SUBMIT_REFUSALS},
    summary="Act on many jobs",
)
def start_bulk(
    request: ApiRequest, body: BulkRequestBody, idempotency_key: RequiredKey
) -> Status[dict[str, Any]]:
    """Cancel many jobs, run them again, there or at another account, or put them into a batch:
    answers 202, and a worker does it, job by job.

    Each job is acted on once, as by its own call, and never faster than its account allows. The
    same `Idempotency-Key` and body again answer 202 and the same bulk action. 422 where there is
    nothing to do, or where an id in `ids` is of no job; then nothing is started.
    """
    visible = visible_to(request)
    ids = None if body.ids is None else [int(text) for text in body.ids]
    wanted = BulkRequest(
        BulkKind(body.action), visible, body.q or "", ids, body.limit, body.reason.strip()
    )
    with _refusals():
        key = read_key(request, idempotency_key, "bulk", body)
        # first: where it was carried out, the name of a new batch is taken
        bulk = None if body.dry_run else service.find_made(visible, key)
        if bulk is None:
            options = read_options(wanted.kind, visible, body.chosen())
            wanted = replace(wanted, options=options)
        if body.dry_run:
            return Status(200, _preview(wanted))
        bulk = bulk or service.start(wanted, token=request.auth, key=key)
    return Status(202, _shape(visible, bulk))


@router.get("/{bulk_id}", response={200: BulkShape, **READ_REFUSALS}, summary="Read a bulk action")
def read_bulk(request: ApiRequest, bulk_id: str) -> dict[str, Any]:
    """How far it has got. A token of some accounts sees those of tokens of the same accounts."""
    return _shape(visible_to(request), _find(request, bulk_id))


@router.get(
    "/{bulk_id}/results",
    response={200: BulkResults, 422: ErrorBody, **READ_REFUSALS},
    summary="List the results of a bulk action",
)
def list_bulk_results(
    request: ApiRequest, bulk_id: str, parameters: Query[ResultParameters]
) -> dict[str, Any]:
    """What became of each job, in the order in which they are acted on."""
    bulk, filters = _find(request, bulk_id), read_filters(ResultFilter, request)
    try:
        page = filters.page(bulk)
    except ValueError as error:
        raise invalid({"cursor": str(error)}) from error
    return {"results": list(map(_result, page.rows)), "next": page.next}


@router.post(
    "/{bulk_id}/stop",
    auth=TokenAuth(Permission.ACT),
    response={200: BulkShape, **ACTION_REFUSALS},
    summary="Stop a bulk action",
)
def stop_bulk(request: ApiRequest, bulk_id: str) -> dict[str, Any]:
    """Act on no more jobs; a second time changes nothing. What is under way is still answered."""
    try:
        service.stop(_find(request, bulk_id), actor=request.auth)
    except BulkEnded as error:
        raise ApiError(409, "finished", str(error)) from error
    return _shape(visible_to(request), _find(request, bulk_id))


@router.post(
    "/{bulk_id}/rest",
    auth=TokenAuth(Permission.ACT),
    response={202: BulkShape, 422: ErrorBody, **ACTION_REFUSALS},
    summary="Run the rest of a bulk action",
)
def resume_bulk(
    request: ApiRequest, bulk_id: str, idempotency_key: KeyHeader = None
) -> Status[dict[str, Any]]:
    """Act on the jobs that were left when it was stopped, in the name of this token.

    Where it runs already, nothing changes. The same `Idempotency-Key` again answers 202 and changes
    nothing either, also if it has been stopped since.
    """
    bulk = _find(request, bulk_id)
    with _refusals():
        key = _read_rest_key(request, idempotency_key, bulk)
        try:
            service.resume(bulk, actor=request.auth, key=key)
        except BulkEnded as error:
            raise ApiError(409, "finished", str(error)) from error
    return Status(202, _shape(visible_to(request), _find(request, bulk_id)))


def _read_rest_key(request: ApiRequest, text: str | None, bulk: BulkAction) -> CallerKey | None:
    if text is None:
        return None
    return idempotency.caller_key(text, "bulk_rest", bulk.pk, token=request.auth)


def _find(request: ApiRequest, bulk_id: str) -> BulkAction:
    bulk = find_bulk(visible_to(request), bulk_id)
    if bulk is None:
        raise not_found()
    return bulk


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except KeyRefused as error:
        raise invalid({"Idempotency-Key": str(error)}) from error
    except KeyOfDeletedBulk as error:
        raise ApiError(409, "bulk_deleted", str(error)) from error
    except BulkRefused as error:
        raise invalid(error.fields) from error


def _preview(wanted: BulkRequest) -> dict[str, Any]:
    found = preview(wanted.select(), wanted.action, wanted.limit)
    return {
        "action": wanted.kind,
        "account": wanted.options.account,
        "batch": wanted.options.batch,
        "matched": found.matched,
        "complete": found.is_complete,
        **_facts(wanted.visible, found.left_out, found.accounts),
        "done": 0,
        "refused": 0,
        "failed": 0,
        "remaining": found.count,
        "sample": found.sample,
    }


def _facts(
    visible: Visibility, left_out: Mapping[str, int], accounts: Mapping[Any, int]
) -> dict[str, Any]:
    jobs = {int(pk): count for pk, count in accounts.items()}
    rows = visible.accounts().filter(pk__in=jobs).order_by("name").values("pk", "name", "provider")
    return {
        "left_out": [
            {"reason": row.reason, "message": row.sentence, "count": row.count}
            for row in describe_left_out(visible, left_out)
        ],
        "accounts": [
            {"id": row["pk"], "name": row["name"], "provider": row["provider"]}
            | {"jobs": jobs[row["pk"]]}
            for row in rows
        ],
    }


def _shape(visible: Visibility, bulk: BulkAction) -> dict[str, Any]:
    return {
        "id": bulk.pk,
        "action": bulk.kind,
        "account": bulk.target_account,
        "batch": bulk.batch,
        "state": bulk.state,
        "note": bulk.note,
        "q": None if bulk.job_ids is not None else bulk.query,
        "limit": bulk.limit,
        "reason": bulk.reason,
        "requested_by": bulk.requester_name,
        "created_at": bulk.created_at,
        "ended_at": bulk.ended_at,
        "matched": bulk.matched,
        "complete": bulk.prepared_at is not None,
        **_facts(visible, bulk.left_out, bulk.accounts),
        "done": bulk.done,
        "refused": bulk.refused,
        "failed": bulk.failed,
        "remaining": bulk.remaining,
    }


def _result(target: BulkTarget) -> dict[str, Any]:
    is_open = target.outcome == BulkOutcome.SENT
    return {
        "job": target.job_id,
        "outcome": BulkOutcome.PENDING if is_open else target.outcome,
        "reason": target.reason,
        "new_job": target.new_job_id,
    }
