"""Cancelling a job, retrying it, and resolving an unconfirmed one: POST, then back to the job."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from jobs.actions.attempts import retries_of
from jobs.actions.cancellation import request_cancel
from jobs.actions.offers import ActionRefused, Refusal, check_unchanged
from jobs.actions.resubmission import RetryUnfinished, request_resubmit
from jobs.forms.sending.unconfirmed import FoundJobForm, SendAgainForm
from jobs.models import ActionState, Job, Submission, SubmissionState
from jobs.retry_rules import service as retry_rules
from jobs.submission import idempotency
from jobs.submission.idempotency import CallerKey, KeyOfDeletedJob, KeyRefused, form_key
from jobs.submission.resolution import bind_found_job, send_again
from jobs.submission.service import describe_hold
from jobs.submission.validation import SubmissionRefused
from jobs.views.job_detail import find_job, show_job
from jobs.views.shared.layout import HtmxRequest
from jobs.views.shared.list_place import job_url
from organizations.access import Access, requires
from organizations.permissions import Permission
from providers.core.errors import ProviderError


@require_POST
@requires(Permission.ACT)
def cancel(request: HtmxRequest, access: Access, pk: int) -> HttpResponseBase:
    job = find_job(access, pk)
    try:
        _check_offered(request, job)
        action = request_cancel(job, user=access.user)
    except ActionRefused as error:
        return _refuse(request, access, job, f"{job} was not cancelled.", error)
    if action.state == ActionState.DONE:
        text = f"{job} was cancelled before it was sent."
    else:
        text = f"Asked {job.account.provider_label} to cancel {job}."
    messages.success(request, text)
    return redirect(job_url(request, access, job))


@require_POST
@requires(Permission.ACT)
def cancel_retry(request: HtmxRequest, access: Access, pk: int) -> HttpResponseBase:
    """Have no retry rule retry it."""
    job = find_job(access, pk)
    try:
        retry_rules.cancel_retry(job, user=access.user)
    except retry_rules.RetryEnded as error:
        messages.error(request, str(error))
    else:
        messages.success(request, f"{job} will not be retried automatically.")
    return redirect(job_url(request, access, job))


@require_POST
@requires(Permission.ACT)
def resubmit(request: HtmxRequest, access: Access, pk: int) -> HttpResponseBase:
    job = find_job(access, pk)
    try:
        key = _key_of(request, access, f"resubmit {job.pk}")
        made = idempotency.find_job(access.organization, key)
        if made is None:
            _check_offered(request, job)
            _check_not_retried(request, job)
            made = request_resubmit(job, user=access.user, key=key).job
    except (ActionRefused, SubmissionRefused, KeyRefused, KeyOfDeletedJob) as error:
        return _refuse(request, access, job, f"{job} was not retried.", error)
    text = f"Retrying {job} as this job."
    messages.success(request, " ".join([text, *describe_hold(job.account)]))
    return redirect(job_url(request, access, made))


@require_POST
@requires(Permission.ACT)
def resolve(request: HtmxRequest, access: Access, pk: int) -> HttpResponseBase:
    """Settle an unconfirmed submission with what a person found at the provider."""
    job = find_job(access, pk)
    try:
        key = _key_of(request, access, f"send again {job.pk}")
        if idempotency.find_job(access.organization, key) is not None:
            messages.info(request, f"{job} has already been sent again.")
            return redirect(job_url(request, access, job))
        _check_offered(request, job)
    except (ActionRefused, KeyRefused, KeyOfDeletedJob) as error:
        return _refuse(request, access, job, "Nothing was changed.", error)
    if not Submission.objects.filter(pk=job.pk, state=SubmissionState.UNCONFIRMED).exists():
        message = f"The submission of {job} is no longer unconfirmed."
        known = ActionRefused(Refusal.OUT_OF_DATE, message)
        return _refuse(request, access, job, "Nothing was changed.", known)
    if "found_remote_id" in request.POST:
        found = FoundJobForm(job, request.POST)
        if found.is_valid() and _bind(access, job, found):
            messages.success(request, f"{job} is now linked to the job that you found.")
            return redirect(job_url(request, access, job))
        return show_job(request, access, job, found_form=found, status=422)
    again = SendAgainForm(job, request.POST)
    if not again.is_valid():
        return show_job(request, access, job, again_form=again, status=422)
    send_again(job, user=access.user, key=key)
    messages.success(request, f"{job} will be sent again.")
    return redirect(job_url(request, access, job))


def _key_of(request: HttpRequest, access: Access, call: str) -> CallerKey | None:
    text = request.POST.get("key", "")
    return form_key(text, call, {}, access.user) if text else None


def _check_offered(request: HttpRequest, job: Job) -> None:
    """Refuse a form that was offered for another attempt or before the job ended."""
    if "attempt" in request.POST:
        check_unchanged(job, request.POST["attempt"], request.POST.get("status", ""))


def _check_not_retried(request: HttpRequest, job: Job) -> None:
    """Refuse a retry that was offered before somebody else's."""
    known = request.POST.get("retried")
    retries = retries_of(job)
    if known is not None and retries and known != str(retries[-1].pk):
        raise RetryUnfinished(retries[-1])


def _refuse(
    request: HtmxRequest, access: Access, job: Job, outcome: str, error: Exception
) -> HttpResponseBase:
    """Show the job as it is now, and why nothing was done."""
    blocking = error.job if isinstance(error, RetryUnfinished) else None
    job = find_job(access, job.pk)
    return show_job(
        request, access, job, refusal=f"{outcome} {error}", refusal_job=blocking, status=409
    )


def _bind(access: Access, job: Job, form: FoundJobForm) -> bool:
    """Whether the job of that id was read and is ours; why it is not goes into the form."""
    try:
        bind_found_job(job, form.cleaned_data["found_remote_id"])
    except SubmissionRefused as refusal:
        for issue in refusal.issues:
            form.add_error(issue.field if issue.field in form.fields else None, issue.message)
    except ProviderError as error:
        form.add_error("found_remote_id", str(error))
    return form.is_valid()
