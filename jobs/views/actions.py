"""Cancelling a job, running it again, and telling what became of it: POST, then back to the job."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from jobs.actions import ActionRefused, request_cancel
from jobs.forms import FoundJobForm, SendAgainForm
from jobs.models import Job, Submission, SubmissionState
from jobs.resubmission import request_resubmit
from jobs.submission import SubmissionRefused, resolve_unsure
from jobs.views.job_detail import find_job, show_job
from jobs.views.page import HtmxRequest
from organizations.access import Access, authorize
from organizations.models import Role
from providers.errors import ProviderError


@require_POST
def cancel(request: HttpRequest, org: str, pk: int) -> HttpResponse:
    access = authorize(request, org, Role.OPERATOR)
    job = find_job(access, pk)
    try:
        request_cancel(job, user=access.user)
    except ActionRefused as error:
        messages.error(request, f"{job} was not cancelled. {error}")
    else:
        messages.success(request, f"{job.account.provider_label} is asked to cancel {job}.")
    return redirect("jobs:detail", org, job.pk)


@require_POST
def resubmit(request: HttpRequest, org: str, pk: int) -> HttpResponse:
    access = authorize(request, org, Role.OPERATOR)
    job = find_job(access, pk)
    try:
        made = request_resubmit(job, user=access.user)
    except (ActionRefused, SubmissionRefused) as error:
        messages.error(request, f"{job} was not resubmitted. {error}")
        return redirect("jobs:detail", org, job.pk)
    messages.success(request, f"{job} is run again, as the job shown here.")
    return redirect("jobs:detail", org, made.job.pk)


@require_POST
def resolve(request: HtmxRequest, org: str, pk: int) -> HttpResponseBase:
    """What a person found at the provider, where we do not know whether it took the job."""
    access = authorize(request, org, Role.OPERATOR)
    job = find_job(access, pk)
    if not Submission.objects.filter(pk=job.pk, state=SubmissionState.UNSURE).exists():
        messages.info(request, f"What became of {job} is known by now.")
        return redirect("jobs:detail", org, job.pk)
    if "found_remote_id" in request.POST:
        found = FoundJobForm(job, request.POST)
        if found.is_valid() and _bind(access, job, found):
            messages.success(request, f"{job} is the one that you found.")
            return redirect("jobs:detail", org, job.pk)
        return show_job(request, access, job, found_form=found, status=422)
    again = SendAgainForm(job, request.POST)
    if not again.is_valid():
        return show_job(request, access, job, again_form=again, status=422)
    resolve_unsure(job, user=access.user, send_again=True)
    messages.success(request, f"{job} is sent again.")
    return redirect("jobs:detail", org, job.pk)


def _bind(access: Access, job: Job, form: FoundJobForm) -> bool:
    """Whether the job of that id was read and is ours; why it is not goes into the form."""
    try:
        resolve_unsure(job, user=access.user, found_remote_id=form.cleaned_data["found_remote_id"])
    except SubmissionRefused as refusal:
        for issue in refusal.issues:
            form.add_error(issue.field if issue.field in form.fields else None, issue.message)
    except ProviderError as error:
        form.add_error("found_remote_id", str(error))
    return form.is_valid()
