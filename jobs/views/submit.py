"""Submitting a job: the form, and beside it the JSON that it comes to."""

import json
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import trigger_client_event

from jobs import submission
from jobs.forms import JobForm, initial_of, typed_values
from jobs.idempotency import KeyOfDeletedJob, KeyRefused, form_key
from jobs.models import Job
from jobs.submission import DuplicateJob, SubmissionRefused
from jobs.views.page import HtmxRequest, render_page
from organizations.access import Access, authorize
from organizations.models import Role
from providers.errors import ProviderError


@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HtmxRequest, org: str) -> HttpResponse:
    """The form; `?from=<job id>` fills it in with what that job was sent with.

    Sent with `choose`, or with the fields of another account than the one that is chosen by now,
    it is not submitted, but shown again for that account.
    """
    access = authorize(request, org, Role.OPERATOR)
    if request.method != "POST":
        form = JobForm(access.organization, initial=_initial(request, access))
        return _page(request, access, form)
    if "choose" in request.POST or not _shows_chosen(request):
        form = JobForm(access.organization, initial=typed_values(request.POST))
        if request.htmx:
            context = {"access": access, "form": form, "samples": _samples()}
            response = render(request, "jobs/_job_fields.html", context)
            return trigger_client_event(response, "reelboard:fields", after="settle")
        return _page(request, access, form)
    form = JobForm(access.organization, request.POST)
    # before a complaint takes the value at its field away
    shown = _preview(form)
    if form.is_valid() and (job := _submit(access, form)):
        messages.success(request, f"{job} is on its way to {job.account.provider_label}.")
        return redirect("jobs:detail", org, job.pk)
    return _page(request, access, form, shown, status=422)


def _initial(request: HtmxRequest, access: Access) -> dict[str, Any]:
    given = request.GET.get("from", "")
    if not given:
        return {name: request.GET.get(name, "") for name in ("account", "input")}
    if not given.isascii() or not given.isdecimal() or len(given) > 18:
        raise Http404("No such job.")
    jobs = Job.objects.for_organization(access.organization).select_related("account")
    job = get_object_or_404(jobs, pk=int(given))
    sent = submission.sent_request(job)
    initial = {"account": job.account_id, "retry_of": job.pk, "input": job.input_url}
    return initial | initial_of(sent, job.account) if sent else initial


def _submit(access: Access, form: JobForm) -> Job | None:
    """The job that the form makes, or None with the reasons in the form."""
    data = form.cleaned_data
    jobs = Job.objects.for_organization(access.organization)
    request = form.to_request()
    body = [data["account"].pk, submission.dump_request(request), data["retry_of"]]
    try:
        return submission.submit(
            organization=access.organization,
            account=data["account"],
            request=request,
            user=access.user,
            key=form_key(data["idempotency_key"], "submit", body, access.user),
            allow_duplicate=data["allow_duplicate"],
            retry_of=jobs.filter(pk=data["retry_of"] or 0).first(),
        ).job
    except SubmissionRefused as error:
        form.add_issues(error.issues)
    except DuplicateJob as error:
        form.duplicate = error.job
    except (KeyRefused, KeyOfDeletedJob) as error:
        form.add_error(None, str(error))
    return None


def _page(
    request: HtmxRequest,
    access: Access,
    form: JobForm,
    shown: dict[str, Any] | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    context = {
        "form": form,
        "samples": _samples(),
        **(shown or {}),
    }
    return render_page(request, access, "jobs/job_new.html", context, section="new", status=status)


def _shows_chosen(request: HtmxRequest) -> bool:
    """Whether the fields that were sent are those of the account that is chosen."""
    account = request.POST.get("account")
    return request.POST.get("fields_of", account) == account


def _samples() -> list[tuple[str, str]]:
    return [(url, url.rpartition("/")[2]) for url in settings.SAMPLE_INPUTS]


@require_POST
def preview(request: HtmxRequest, org: str) -> HttpResponse:
    """The body that the form would send, redacted, and what its provider says to it."""
    access = authorize(request, org, Role.OPERATOR)
    if not _shows_chosen(request):
        # the fields of the account are on their way
        return HttpResponse(status=204)
    form = JobForm(access.organization, request.POST)
    shown = _preview(form)
    return render(request, "jobs/_preview.html", {"form": form, "is_update": True, **shown})


def _preview(form: JobForm) -> dict[str, Any]:
    """What stands beside the form; what is about one field goes to the form's notes."""
    if not form.is_valid():
        return {}
    try:
        body, issues = submission.preview(form.cleaned_data["account"], form.to_request())
    except ProviderError as error:
        return {"remarks": [str(error)]}
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return {"body": text, "remarks": form.note(issues)}
