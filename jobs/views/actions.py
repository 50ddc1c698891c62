"""Cancelling a job and running it again: POST only, then back to the job."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from jobs.actions import ActionRefused, request_cancel, request_resubmit
from jobs.models import Job
from jobs.submission import SubmissionRefused
from jobs.views.job_detail import find_job
from organizations.access import authorize
from organizations.models import Role


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
    if isinstance(made, Job):
        messages.success(request, f"{job} is submitted again, as the job shown here.")
        return redirect("jobs:detail", org, made.pk)
    messages.success(request, f"{job.account.provider_label} is asked to run {job} again.")
    return redirect("jobs:detail", org, job.pk)
