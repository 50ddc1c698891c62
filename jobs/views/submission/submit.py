"""Submitting a job: the form, and beside it the JSON that it comes to."""

import json
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST
from django_htmx.http import HttpResponseClientRedirect, trigger_client_event

from jobs.actions.attempts import lock_attempts, retries_of, unfinished_of
from jobs.actions.resubmission import RetryUnfinished
from jobs.forms.job import JobForm
from jobs.forms.job_copy import JobCopy, copy_job
from jobs.forms.job_values import request_values, typed_values
from jobs.forms.organization import default_account
from jobs.forms.templates.choice import TemplateChoice
from jobs.forms.templates.saving import save_as_template
from jobs.models import Job, ProviderAccount
from jobs.query.references import find_by_id
from jobs.submission import idempotency, service, validation
from jobs.submission.duplicates import DuplicateJob
from jobs.submission.idempotency import CallerKey, KeyOfDeletedJob, KeyRefused, form_key
from jobs.submission.stored_request import dump_request
from jobs.submission.validation import SubmissionRefused
from jobs.views.shared.layout import HtmxRequest, render_page
from jobs.views.submission.filling import fill_again, first_template, sent_template
from organizations.access import Access, requires
from organizations.permissions import Permission
from providers.core.errors import ProviderError
from providers.core.issues import RequestIssue
from providers.core.types import JobRequest

TEMPLATES_REFUSED = "Saving templates requires the Operator role."


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.SUBMIT)
def new(request: HtmxRequest, access: Access) -> HttpResponse:
    """The form; `?from=<job id>` fills it in for a retry of that job, `?duplicate=` for another.

    Sent with `choose`, with a `sample`, or with the fields of another account than the one that is
    chosen by now, it is not submitted, but shown again for that account.
    """
    if request.method != "POST":
        return _show_new(request, access)
    copied = _sent_copy(request, access)
    if _is_draft(request) or not _shows_chosen(request):
        return _choose(request, access, copied)
    form = _sent_form(request, access, copied)
    if request.POST.get("save_template"):
        return _save_template(request, access, form)
    if not form.is_valid():
        return _page(request, access, form, status=422)
    return _submit(request, access, form)


def _show_new(request: HtmxRequest, access: Access) -> HttpResponse:
    copied = _named_copy(request, access)
    initial = _initial(request, access, copied)
    form = JobForm(access.organization, initial=initial, copied=copied)
    template = first_template(request, access, form.chosen, copied)
    if template:
        if copied is None:
            initial = {**template.values} | {name: one for name, one in initial.items() if one}
        form = JobForm(access.organization, initial=initial, copied=copied, template=template)
    form.note_copied()
    return _page(request, access, form)


def _submit(request: HtmxRequest, access: Access, form: JobForm) -> HttpResponse:
    """Submit a valid form, or show it again with the reasons why that was not possible."""
    # all before an error removes the value of its field
    account, job_request = form.cleaned_data["account"], form.to_request()
    issues = validation.check(account, job_request)
    remarks = form.note([*form.check_copied(), *issues])
    if job := _create_job(access, form, job_request, issues):
        messages.success(request, _describe_next(job))
        url = reverse("jobs:detail", args=[access.organization.slug, job.pk])
        return HttpResponseClientRedirect(url) if request.htmx else redirect(url)
    shown = {"body": _show_body(account, job_request), "remarks": remarks}
    return _page(request, access, form, shown, status=422)


def _choose(request: HtmxRequest, access: Access, copied: JobCopy | None) -> HttpResponse:
    """The fields of the account and template that are chosen, with what was typed into others."""
    typed, template = fill_again(request, access, copied)
    form = JobForm(access.organization, initial=typed, copied=copied, template=template)
    if not _is_draft(request) and form.chosen:
        form.is_switched = True
        return _page(request, access, form)
    if not request.htmx:
        return _page(request, access, form)
    context = {"access": access, "form": form, "samples": _samples()}
    response = render(request, "jobs/submit/_fields.html", context)
    return trigger_client_event(response, "reelboard:fields", after="settle")


def _sent_form(request: HtmxRequest, access: Access, copied: JobCopy | None) -> JobForm:
    form = JobForm(access.organization, request.POST, copied=copied)
    if template := sent_template(request, access, form.chosen):
        form = JobForm(access.organization, request.POST, copied=copied, template=template)
    return form


def _save_template(request: HtmxRequest, access: Access, form: JobForm) -> HttpResponse:
    """Save the settings that were filled in, and show the form again with that template."""
    if not access.allows(Permission.TEMPLATES):
        raise PermissionDenied(TEMPLATES_REFUSED)
    # settings are saved without the source
    form.fields["input"].required = False
    is_new = request.POST["save_template"] == "new"
    version = save_as_template(form, access.user, is_new=is_new) if form.is_valid() else None
    if version is None or form.chosen is None:
        return _page(request, access, form, status=422)
    template = TemplateChoice.at(version, form.chosen)
    typed = typed_values(request.POST) | {"save_as": ""}
    again = JobForm(access.organization, initial=typed, copied=form.copied, template=template)
    return _page(request, access, again, {"saved": version})


def _is_draft(request: HtmxRequest) -> bool:
    """Whether a button was pressed that changes the form and does not submit it."""
    return "choose" in request.POST or "sample" in request.POST


def _describe_next(job: Job) -> str:
    hold = service.describe_hold(job.account)
    return hold[0] if hold else f"{job} is being sent to {job.account.provider_label}."


def _initial(request: HtmxRequest, access: Access, copied: JobCopy | None) -> dict[str, Any]:
    account = request.GET.get("account", "")
    if copied is None:
        given = request.GET.get("input", "")
        values = {"account": account or _first_account(access), "input": given}
        return values | {"presets": request.GET.getlist("preset")}
    job = copied.job
    values = {"account": account or job.account_id, "copied_from": job.pk}
    if "from" in request.GET:
        values["retry_of"] = job.pk
    return values | request_values(copied.shown, job.account)


def _first_account(access: Access) -> int | None:
    """The organization's default account, else the one the person submitted a job to last."""
    if account := default_account(access.organization):
        return account.pk
    mine = Job.objects.for_organization(access.organization).filter(submitted_by=access.user)
    return mine.order_by("-pk").values_list("account_id", flat=True).first()


def _named_copy(request: HtmxRequest, access: Access) -> JobCopy | None:
    """The job that the URL names as the one to copy. Raises Http404 where it names none."""
    given = request.GET.get("from") or request.GET.get("duplicate")
    if not given:
        return None
    jobs = Job.objects.for_organization(access.organization).select_related("account")
    job = find_by_id(jobs, given)
    if job is None:
        raise Http404("No such job.")
    return copy_job(job)


def _sent_copy(request: HtmxRequest, access: Access) -> JobCopy | None:
    """The job that a sent form was a copy of; without it, no secret is filled in."""
    jobs = Job.objects.for_organization(access.organization).select_related("account")
    job = find_by_id(jobs, request.POST.get("copied_from", ""))
    return copy_job(job) if job else None


def _create_job(
    access: Access, form: JobForm, job_request: JobRequest, issues: list[RequestIssue]
) -> Job | None:
    """The job that the form makes, or None with the reasons in the form."""
    if stale := [issue for issue in form.check_copied() if issue.blocking]:
        form.add_issues(stale)
        return None
    data = form.cleaned_data
    jobs = Job.objects.for_organization(access.organization)
    body = [data["account"].pk, dump_request(job_request), data["retry_of"]]
    key = form_key(data["idempotency_key"], "submit", body, access.user)
    retried = jobs.filter(pk=data["retry_of"] or 0).first()
    try:
        with transaction.atomic():
            if retried and not data["allow_duplicate"]:
                _refuse_second_retry(retried, key)
            return service.submit(
                organization=access.organization,
                account=data["account"],
                request=job_request,
                issues=issues,
                user=access.user,
                key=key,
                allow_duplicate=data["allow_duplicate"],
                retry_of=retried,
                template_version=form.chosen_version,
            ).job
    except RetryUnfinished as error:
        form.unfinished = error.job
    except SubmissionRefused as error:
        form.add_issues(error.issues)
    except DuplicateJob as error:
        form.duplicate = error.job
    except (KeyRefused, KeyOfDeletedJob) as error:
        form.add_error(None, str(error))
    return None


def _refuse_second_retry(retried: Job, key: CallerKey) -> None:
    """Raise RetryUnfinished while another retry runs, unless that is the one made with `key`."""
    lock_attempts(retried)
    unfinished = unfinished_of(retries_of(retried))
    if unfinished and idempotency.find_job(retried.organization, key) is None:
        raise RetryUnfinished(unfinished)


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
    if request.htmx:
        return render(
            request, "jobs/submit/_form.html", {"access": access, **context}, status=status
        )
    return render_page(
        request, access, "jobs/submit/new.html", context, section="jobs", status=status
    )


def _shows_chosen(request: HtmxRequest) -> bool:
    """Whether the fields that were sent are those of the account that is chosen."""
    account = request.POST.get("account")
    return request.POST.get("fields_of", account) == account


def _samples() -> list[tuple[str, str]]:
    return [(url, url.rpartition("/")[2]) for url in settings.SAMPLE_INPUTS]


@require_POST
@requires(Permission.SUBMIT)
def preview(request: HtmxRequest, access: Access) -> HttpResponse:
    """The body that the form would send, redacted, and what its provider says about it."""
    if not _shows_chosen(request):
        # the fields of the account are on their way
        return HttpResponse(status=204)
    form = _sent_form(request, access, _sent_copy(request, access))
    context: dict[str, Any] = {"access": access, "form": form, "is_update": True}
    if form.is_valid():
        account, job_request = form.cleaned_data["account"], form.to_request()
        issues = validation.check(account, job_request)
        context["body"] = _show_body(account, job_request)
        context["remarks"] = form.note([*form.check_copied(), *issues])
    return render(request, "jobs/submit/_preview.html", context)


def _show_body(account: ProviderAccount, job_request: JobRequest) -> str:
    """The JSON that would be sent, redacted; empty where the account cannot be used."""
    try:
        body = validation.preview(account, job_request)
    except ProviderError:
        return ""  # said by the check
    return json.dumps(body, indent=2, ensure_ascii=False)
