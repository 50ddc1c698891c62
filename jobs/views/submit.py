"""Submitting a job: the form, and beside it the JSON that it comes to."""

import json
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from jobs import submission
from jobs.forms import JobForm, initial_of, submitting_accounts
from jobs.models import Job
from jobs.submission import DuplicateJob, SubmissionRefused
from jobs.views.page import render_page
from organizations.access import Access, authorize
from organizations.models import Role
from providers.errors import ProviderError


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, org: str) -> HttpResponse:
    """The form; `?from=<job id>` fills it in with what that job was sent with."""
    access = authorize(request, org, Role.OPERATOR)
    if request.method == "POST":
        form = JobForm(access.organization, request.POST)
        if form.is_valid() and (job := _submit(access, form)):
            messages.success(request, f"{job} is on its way to {job.account.provider_label}.")
            return redirect("jobs:detail", org, job.pk)
        return _page(request, access, form, status=422)
    return _page(request, access, JobForm(access.organization, initial=_initial(request, access)))


def _initial(request: HttpRequest, access: Access) -> dict[str, Any]:
    given = request.GET.get("from", "")
    if not given:
        return {"input": request.GET.get("input", "")}
    if not given.isascii() or not given.isdecimal() or len(given) > 18:
        raise Http404("No such job.")
    job = get_object_or_404(Job.objects.for_organization(access.organization), pk=int(given))
    sent = submission.sent_request(job)
    initial = {"account": job.account_id, "retry_of": job.pk, "input": job.input_url}
    return initial | initial_of(sent) if sent else initial


def _submit(access: Access, form: JobForm) -> Job | None:
    """The job that the form makes, or None with the reasons in the form."""
    data = form.cleaned_data
    jobs = Job.objects.for_organization(access.organization)
    try:
        return submission.submit(
            organization=access.organization,
            account=data["account"],
            request=form.to_request(),
            user=access.user,
            idempotency_key=data["idempotency_key"],
            allow_duplicate=data["allow_duplicate"],
            retry_of=jobs.filter(pk=data["retry_of"] or 0).first(),
        ).job
    except SubmissionRefused as error:
        form.add_issues(error.issues)
    except DuplicateJob as error:
        form.duplicate = error.job
    return None


def _page(
    request: HttpRequest, access: Access, form: JobForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "form": form,
        "accounts": submitting_accounts(access.organization),
        "duplicate": form.duplicate,
        "samples": [(url, url.rpartition("/")[2]) for url in settings.SAMPLE_INPUTS],
        **_preview(form),
    }
    return render_page(request, access, "jobs/job_new.html", context, section="new", status=status)


@require_POST
def preview(request: HttpRequest, org: str) -> HttpResponse:
    """The body that the form would send, redacted, and what its provider decides by itself."""
    access = authorize(request, org, Role.OPERATOR)
    form = JobForm(access.organization, request.POST)
    return render(request, "jobs/_preview.html", _preview(form))


def _preview(form: JobForm) -> dict[str, Any]:
    empty = {"body": "", "remarks": []}
    if not form.is_bound or not form.is_valid():
        return empty
    try:
        body, issues = submission.preview(form.cleaned_data["account"], form.to_request())
    except ProviderError as error:
        return empty | {"remarks": [str(error)]}
    remarks = [issue.message for issue in issues]
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return {"body": text, "remarks": remarks}
