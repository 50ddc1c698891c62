"""`/jobs`: list, read, submit, cancel, resubmit."""

from typing import Annotated, Any

from django.db.models import Prefetch, QuerySet
from ninja import Header, Query, Router, Status
from pydantic import BaseModel, Field, WithJsonSchema

from jobs.actions import resubmission
from jobs.actions.cancellation import request_cancel
from jobs.actions.offers import ActionRefused
from jobs.api.auth import ApiRequest, TokenAuth
from jobs.api.errors import (
    ACTION_REFUSALS,
    LIST_REFUSALS,
    READ_REFUSALS,
    SUBMIT_REFUSALS,
    ApiError,
    ErrorBody,
    invalid,
    not_found,
    refuse_unknown,
)
from jobs.api.requests import ResubmitRequest, SubmitRequest
from jobs.api.schemas import ConflictBody, JobDetail, JobList, SubmittedJob
from jobs.models import Job, JobBody, JobEvent, Output
from jobs.query import keyset
from jobs.query.jobs import JobFilter
from jobs.query.orderings import SORT_TIMES
from jobs.query.parameters import DEFAULT_LIMIT, MAX_LIMIT
from jobs.query.references import find_accounts, find_by_id
from jobs.submission import idempotency, service
from jobs.submission.idempotency import CallerKey
from jobs.submission.validation import SubmissionRefused
from providers.core.status import JobStatus

router = Router(tags=["jobs"], by_alias=True)
to_operate = TokenAuth(to_operate=True)
# documented here and checked by `caller_key`, whose sentence says more than a pattern does
KeyText = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "minLength": 1,
            "maxLength": idempotency.MAX_KEY,
            "pattern": idempotency.KEY_PATTERN,
        }
    ),
]
KeyHeader = Annotated[
    KeyText | None,
    Header(
        alias="Idempotency-Key",
        description="Chosen by the caller, a new one for each request: a call that is repeated "
        "with the same key is carried out once.",
    ),
]


class ListParameters(BaseModel):
    """Documents the query string; JobFilter reads it, for the pages as well."""

    status: list[str] = Field([], json_schema_extra={"items": {"enum": list(JobStatus)}})
    provider: list[str] = Field([], description="Slugs.")
    account: list[str] = Field([], description="Ids or exact names.")
    error: list[str] = Field([], description="Classes, or families such as `input.*`.")
    batch: list[str] = []
    preset: list[str] = Field([], description="Ids of presets that an output was made with.")
    gone: str = Field(
        "",
        description="`true`: only jobs that the provider no longer knows; `false`: none of them. "
        "Without it they are left out of `submitting`, `queued` and `running` alone.",
    )
    unresolved: str = Field(
        "", description="`true`: failed, and no later attempt succeeded; `false`: all others."
    )
    q: str = Field("", description="A whole id, or words of the name, address, batch or error.")
    created_after: str = Field("", description="ISO 8601, or an age such as `2d`; included.")
    created_before: str = Field("", description="Not included.")
    finished_after: str = Field("", description="By `ended_at`; leaves out what has not ended.")
    finished_before: str = ""
    changed_after: str = ""
    sort: str = Field("", description=f"{', '.join(SORT_TIMES)}; a minus before it: newest first.")
    limit: str = Field("", description=f"1 to {MAX_LIMIT}; {DEFAULT_LIMIT} where it is left out.")
    cursor: str = Field("", description="`next` of the page before.")


@router.get("", response={200: JobList, **LIST_REFUSALS}, summary="List jobs")
def list_jobs(request: ApiRequest, parameters: Query[ListParameters]) -> dict[str, Any]:
    """A page at a time: pass `next` back as `cursor`, and the rest unchanged.

    Newest first: running jobs by when they started, ended ones by when they ended (if only
    such are asked for), else by creation. `sort` chooses another order.
    """
    refuse_unknown(request, ListParameters.model_fields)
    filters = JobFilter.parse(request.GET, request.auth.organization)
    if filters.errors:
        raise invalid(filters.errors)
    queryset = filters.apply(_jobs(request)).defer(
        "request", "errors", "account__credentials", "account__hook_secret", "account__options"
    )
    try:
        found = keyset.page(queryset, filters.ordering, filters.limit, filters.cursor)
    except ValueError as error:
        raise invalid({"cursor": str(error)}) from error
    return {"results": found.rows, "next": found.next}


@router.get("/{job_id}", response={200: JobDetail, **READ_REFUSALS}, summary="Read a job")
def read_job(request: ApiRequest, job_id: str) -> Job:
    """One job with its outputs, presets, errors and events."""
    return _read(request, job_id)


@router.get(
    "/{job_id}/raw", response={200: Any, **READ_REFUSALS}, summary="Read the provider's body"
)
def read_raw(request: ApiRequest, job_id: str) -> Any:
    """What the provider last answered about the job, with secrets redacted."""
    job = _find(request, job_id)
    body = JobBody.objects.filter(job=job).first()
    if body is None:
        raise ApiError(404, "no_body", "The provider has not told about this job yet.")
    return body.value


@router.post(
    "",
    auth=to_operate,
    response={201: SubmittedJob, 200: SubmittedJob, 409: ConflictBody, **SUBMIT_REFUSALS},
    summary="Submit a job",
)
def submit_job(
    request: ApiRequest,
    body: SubmitRequest,
    idempotency_key: KeyHeader = None,
) -> Status[Job]:
    """Answers 201 and a job in status `submitting`, which is sent right after.

    The same `Idempotency-Key` and body again answer 200 and the same job; with another body, or
    on another call, the key is refused with 422. 409 carries the job that is already there when
    the same account, input and settings ran within 24 hours.
    """
    organization = request.auth.organization
    key = _caller_key(request, idempotency_key, "submit", body)
    if (made := _find_made(request, key)) is not None:
        return Status(200, made)
    account = find_accounts(organization, [body.account]).get(body.account)
    if account is None:
        raise invalid({"account": "No account has this id or name."})
    try:
        submitted = service.submit(
            organization=organization,
            account=account,
            request=body.as_job_request(),
            token=request.auth,
            key=key,
            allow_duplicate=body.allow_duplicate,
        )
    except (idempotency.KeyRefused, idempotency.KeyOfDeletedJob) as refusal:
        raise _key_refused(refusal) from refusal
    except SubmissionRefused as refusal:
        raise _refused(refusal) from refusal
    except service.DuplicateJob as duplicate:
        message = (
            "The same ran within 24 hours: see `job`. Set allow_duplicate to run it all the same."
        )
        raise _conflict(request, "duplicate", message, duplicate.job) from duplicate
    return Status(201 if submitted.created else 200, _read_submitted(request, submitted))


@router.post(
    "/{job_id}/cancel",
    auth=to_operate,
    response={202: JobDetail, **ACTION_REFUSALS},
    summary="Cancel",
)
def cancel_job(request: ApiRequest, job_id: str) -> Status[Job]:
    """Ask the provider to cancel. 409 where it cannot, or where the job is done."""
    job = _find(request, job_id)
    try:
        request_cancel(job, token=request.auth)
    except ActionRefused as refusal:
        raise ApiError(409, "action_refused", str(refusal)) from refusal
    return Status(202, _read(request, job_id))


@router.post(
    "/{job_id}/resubmit",
    auth=to_operate,
    response={
        202: SubmittedJob,
        200: SubmittedJob,
        404: ErrorBody,
        409: ConflictBody,
        **SUBMIT_REFUSALS,
    },
    summary="Run again",
)
def resubmit_job(
    request: ApiRequest,
    job_id: str,
    body: ResubmitRequest | None = None,
    idempotency_key: KeyHeader = None,
) -> Status[Job]:
    """Run it again: answers 202 and the attempt that will run, in status `submitting`.

    The same `Idempotency-Key` again answers 200 and the same attempt. While a retry of the job has
    not ended, 409 carries that one in `job`. 422 where the request that it was submitted with
    cannot be used any more.
    """
    wanted = body or ResubmitRequest(allow_duplicate=False)
    key = _caller_key(request, idempotency_key, f"resubmit {job_id}", wanted)
    if (made := _find_made(request, key)) is not None:
        return Status(200, made)
    job = _find(request, job_id)
    try:
        submitted = resubmission.request_resubmit(
            job, token=request.auth, key=key, allow_duplicate=wanted.allow_duplicate
        )
    except (idempotency.KeyRefused, idempotency.KeyOfDeletedJob) as refusal:
        raise _key_refused(refusal) from refusal
    except resubmission.RetryUnfinished as refusal:
        raise _conflict(request, "retry_unfinished", str(refusal), refusal.job) from refusal
    except ActionRefused as refusal:
        raise ApiError(409, "action_refused", str(refusal)) from refusal
    except SubmissionRefused as refusal:
        raise _refused(refusal) from refusal
    return Status(202 if submitted.created else 200, _read_submitted(request, submitted))


def _jobs(request: ApiRequest) -> QuerySet[Job]:
    """The jobs that the token sees, with what every shape of a job needs."""
    return (
        Job.objects.for_organization(request.auth.organization)
        .select_related("organization", "account", "poll", "submitted_by")
        .prefetch_related(Prefetch("retries", Job.objects.only("id", "retry_of_id").order_by("id")))
    )


def _find(request: ApiRequest, job_id: str) -> Job:
    """The job with this id, as its own row; 404 for a foreign one as for none."""
    job = find_by_id(Job.objects.for_organization(request.auth.organization), job_id)
    if job is None:
        raise not_found()
    return job


def _read(request: ApiRequest, job_id: str) -> Job:
    """The job with all that its detail shows."""
    outputs = Output.objects.defer("secret_url").select_related("preset").order_by("position", "id")
    events = JobEvent.objects.select_related("actor").order_by("id")
    jobs = (
        _jobs(request)
        .defer("account__credentials", "account__hook_secret")
        .prefetch_related(Prefetch("outputs", outputs), Prefetch("events", events))
    )
    job = find_by_id(jobs, job_id)
    if job is None:
        raise not_found()
    return job


def _read_submitted(request: ApiRequest, submitted: service.Submitted) -> Job:
    job = _read(request, str(submitted.job.pk))
    # no column, but what SubmittedJob shows beside those
    job.__dict__["warnings"] = submitted.warnings
    return job


def _caller_key(
    request: ApiRequest, text: str | None, call: str, body: BaseModel
) -> CallerKey | None:
    if text is None:
        return None
    try:
        return idempotency.caller_key(text, call, body.model_dump(mode="json"), token=request.auth)
    except idempotency.KeyRefused as refusal:
        raise _key_refused(refusal) from refusal


def _find_made(request: ApiRequest, key: CallerKey | None) -> Job | None:
    """What the key made before, as its detail shows it; None for a new key, or none."""
    try:
        made = idempotency.find_job(request.auth.organization, key)
    except (idempotency.KeyRefused, idempotency.KeyOfDeletedJob) as refusal:
        raise _key_refused(refusal) from refusal
    return _read(request, str(made.pk)) if made else None


def _key_refused(refusal: idempotency.KeyRefused | idempotency.KeyOfDeletedJob) -> ApiError:
    if isinstance(refusal, idempotency.KeyOfDeletedJob):
        return ApiError(409, "job_deleted", str(refusal))
    return invalid({"Idempotency-Key": str(refusal)})


def _refused(refusal: SubmissionRefused) -> ApiError:
    return invalid({issue.field: issue.message for issue in refusal.issues})


def _conflict(request: ApiRequest, code: str, message: str, job: Job) -> ApiError:
    shape = JobDetail.model_validate(_read(request, str(job.pk)))
    return ApiError(409, code, message, job=shape.model_dump(by_alias=True))
