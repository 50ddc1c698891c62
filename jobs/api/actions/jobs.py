"""`/jobs`: submit, cancel, assign and resubmit."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.http import HttpResponse
from django.urls import reverse
from ninja import Status

from jobs.actions.assignment import AssignmentRefused, assign
from jobs.actions.cancellation import AlreadyCancelled, request_cancel
from jobs.actions.elsewhere.service import Elsewhere, request_elsewhere
from jobs.actions.offers import ActionRefused
from jobs.actions.resubmission import RetryUnfinished, request_resubmit
from jobs.api.auth import ApiRequest, TokenAuth, visible_to
from jobs.api.errors import ACTION_REFUSALS, SUBMIT_REFUSALS, ApiError, ErrorBody, invalid
from jobs.api.http.idempotency_key import KeyHeader, find_made, read_key
from jobs.api.jobs import find_job, read_detail, router
from jobs.api.requests import AssignRequest, ResubmitRequest, SubmitRequest
from jobs.api.schemas.jobs import ConflictBody, JobDetail, SubmittedJob
from jobs.models import Job, TemplateVersion
from jobs.query.references import find_accounts, find_member, has_control_characters
from jobs.submission.duplicates import DuplicateJob
from jobs.submission.idempotency import KeyOfDeletedJob, KeyRefused
from jobs.submission.service import list_warnings, submit
from jobs.submission.templates.service import find_template
from jobs.submission.templates.settings import request_from
from jobs.submission.validation import SubmissionRefused
from organizations.models import Membership
from organizations.permissions import Permission
from providers.core.types import JobRequest

DUPLICATE = "The same job ran within 24 hours: see `job`. Set allow_duplicate to submit it anyway."


@router.post(
    "",
    auth=TokenAuth(Permission.SUBMIT),
    response={201: SubmittedJob, 200: SubmittedJob, 409: ConflictBody, **SUBMIT_REFUSALS},
    summary="Submit a job",
)
def submit_job(
    request: ApiRequest,
    response: HttpResponse,
    body: SubmitRequest,
    idempotency_key: KeyHeader = None,
) -> Status[Job]:
    """Answers 201 and a job in status `submitting`, which is sent right after.

    The same `Idempotency-Key` and body again answer 200 and the same job; with another body, or
    on another call, the key is refused with 422. 409 carries the job that is already there when
    the same account, input and settings ran within 24 hours.
    """
    with _refusals(request):
        key = read_key(request, idempotency_key, "submit", body)
        if (made := find_made(request, key)) is not None:
            return Status(200, _read_submitted(request, made))
        account = find_accounts(visible_to(request).accounts(), [body.account]).get(body.account)
        if account is None:
            raise invalid({"account": "No account has this id or name."})
        version = find_template_named(request, body.template)
        given = body.given_fields()
        submitted = submit(
            organization=request.auth.organization,
            account=account,
            request=request_from(version, account, given) if version else JobRequest(**given),
            template_version=version,
            token=request.auth,
            key=key,
            allow_duplicate=body.allow_duplicate,
        )
    if submitted.created:
        response["Location"] = reverse("api:read_job", args=[submitted.job.pk])
    return Status(201 if submitted.created else 200, _read_submitted(request, submitted.job))


def find_template_named(request: ApiRequest, name: str | None) -> TemplateVersion | None:
    """The newest version of the template that a body names; None where it names none."""
    if name is None:
        return None
    version = find_template(request.auth.organization, name)
    if version is None:
        raise invalid({"template": "No template has this id or name."})
    return version


@router.post(
    "/{job_id}/cancel",
    auth=TokenAuth(Permission.ACT),
    response={202: JobDetail, **ACTION_REFUSALS},
    summary="Cancel",
)
def cancel_job(request: ApiRequest, job_id: str) -> Status[Job]:
    """Ask the provider to cancel; a second time changes nothing, even once it is cancelled.

    409 where the provider cannot, where the job has ended otherwise, or while its account is
    paused.
    """
    with _refusals(request), suppress(AlreadyCancelled):
        request_cancel(find_job(request, job_id), token=request.auth)
    return Status(202, read_detail(request, job_id))


@router.post(
    "/{job_id}/assign",
    auth=TokenAuth(Permission.TRIAGE),
    response={200: JobDetail, 422: ErrorBody, **ACTION_REFUSALS},
    summary="Assign",
)
def assign_job(request: ApiRequest, job_id: str, body: AssignRequest) -> Job:
    """Have a member look after a failed job, or nobody."""
    job = find_job(request, job_id)
    try:
        assign(job, read_member(request, body), actor=request.auth)
    except AssignmentRefused as error:
        raise ApiError(409, error.code, str(error)) from error
    return read_detail(request, job_id)


def read_member(request: ApiRequest, body: AssignRequest) -> Membership | None:
    """Whom the body names; None for nobody."""
    if body.assignee is None:
        return None
    email = body.assignee.strip()
    is_text = not has_control_characters(email)
    member = find_member(request.auth.organization, email) if is_text else None
    if member is None:
        raise invalid({"assignee": "No member has this e-mail address."})
    return member


@router.post(
    "/{job_id}/resubmit",
    auth=TokenAuth(Permission.ACT),
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
    not ended, 409 `retry_running` carries that one in `job`. 422 where the request that it was
    submitted with cannot be used any more.

    With `account`, it runs at another account, whatever the provider: what is not possible there is
    approximated or left out, and `warnings` say so; 422 where that would not give a usable job.
    """
    options = body or ResubmitRequest.model_validate({})
    with _refusals(request):
        key = read_key(request, idempotency_key, f"resubmit {job_id}", options)
        if (made := find_made(request, key)) is not None:
            return Status(200, _read_submitted(request, made))
        job = find_job(request, job_id)
        allow_duplicate = options.allow_duplicate
        if options.account is None:
            submitted = request_resubmit(
                job, token=request.auth, key=key, allow_duplicate=allow_duplicate
            )
        else:
            target = _find_target(request, job, options)
            submitted = request_elsewhere(
                job, target, token=request.auth, key=key, allow_duplicate=allow_duplicate
            )
    return Status(202 if submitted.created else 200, _read_submitted(request, submitted.job))


def _find_target(request: ApiRequest, job: Job, options: ResubmitRequest) -> Elsewhere:
    name = options.account or ""
    account = find_accounts(visible_to(request).accounts(), [name]).get(name)
    if account is None:
        raise invalid({"account": "No account has this id or name."})
    if account.pk == job.account_id:
        raise invalid({"account": "The job ran at this account: leave this out to retry it there."})
    return Elsewhere(
        account,
        tuple(options.presets),
        options.priority,
        options.reason,
        options.destination or "",
    )


def _read_submitted(request: ApiRequest, submitted: Job) -> Job:
    job = read_detail(request, str(submitted.pk))
    # no column, but what SubmittedJob shows beside those
    job.__dict__["warnings"] = list_warnings(job)
    return job


@contextmanager
def _refusals(request: ApiRequest) -> Iterator[None]:
    """Answer what submissions and actions raise when they refuse."""
    try:
        yield
    except KeyRefused as error:
        raise invalid({"Idempotency-Key": str(error)}) from error
    except KeyOfDeletedJob as error:
        raise ApiError(409, "job_deleted", str(error)) from error
    except SubmissionRefused as error:
        raise invalid({issue.field: issue.message for issue in error.issues}) from error
    except DuplicateJob as error:
        raise _conflict(request, "duplicate", DUPLICATE, error.job) from error
    except RetryUnfinished as error:
        raise _conflict(request, error.code, str(error), error.job) from error
    except ActionRefused as error:
        raise ApiError(409, error.code, str(error)) from error


def _conflict(request: ApiRequest, code: str, message: str, job: Job) -> ApiError:
    shape = JobDetail.model_validate(read_detail(request, str(job.pk)))
    return ApiError(409, code, message, job=shape.model_dump(by_alias=True))
