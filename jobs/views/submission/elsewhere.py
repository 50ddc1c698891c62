"""Retrying a job at another account: what becomes of its request there, then the new job."""

from dataclasses import replace
from uuid import uuid4

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from jobs.actions.elsewhere import comparison
from jobs.actions.elsewhere.service import (
    Elsewhere,
    check_retry,
    find_targets,
    request_elsewhere,
    translate_job,
)
from jobs.actions.offers import ActionRefused
from jobs.actions.resubmission import RetryUnfinished
from jobs.forms.job import submitting_accounts
from jobs.forms.sending.elsewhere import ElsewhereForm, TargetForm
from jobs.models import Job
from jobs.submission.idempotency import KeyOfDeletedJob, KeyRefused, form_key
from jobs.submission.service import describe_hold
from jobs.submission.validation import SubmissionRefused
from jobs.views.job_detail import find_job
from jobs.views.shared.layout import HtmxRequest, render_page
from jobs.views.shared.list_place import job_url
from organizations.access import Access, requires
from organizations.permissions import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.ACT)
def elsewhere(request: HtmxRequest, access: Access, pk: int) -> HttpResponse:
    """`?account=` and `?presets=` choose where to, as the upper form does; the lower one sends."""
    job = find_job(access, pk)
    targets = find_targets(job, submitting_accounts(access.organization))
    try:
        check_retry(job)
        if not targets:
            messages.error(request, "There is no other account that takes jobs.")
            return redirect(job_url(request, access, job))
        chosen = TargetForm(targets, request.POST if request.method == "POST" else request.GET)
        if not chosen.is_valid() or chosen.target is None:
            form = ElsewhereForm.for_job(job, uuid4().hex)
            return _page(request, access, job, chosen, form, status=422)
        target = Elsewhere(
            chosen.target,
            tuple(chosen.cleaned_data.get("presets", ())),
            destination=chosen.cleaned_data.get("destination", ""),
        )
        # typed values may hold keys, so that they are posted and in no URL
        if request.method != "POST" or "preview" in request.POST:
            form = ElsewhereForm.for_job(job, uuid4().hex)
            return _page(request, access, job, chosen, form, target)
        return _send(request, access, job, chosen, target)
    except ActionRefused as error:
        messages.error(request, f"{job} cannot be retried elsewhere. {error}")
        return redirect(job_url(request, access, job))


@require_safe
@requires(Permission.READ)
def compare(request: HtmxRequest, access: Access, pk: int) -> HttpResponse:
    """The job beside the one that it is a retry of."""
    job = find_job(access, pk)
    if job.retry_of is None:
        messages.info(request, f"{job} is not a retry of another job.")
        return redirect(job_url(request, access, job))
    before = find_job(access, job.retry_of.pk)
    context = {
        "job": job,
        "before": before,
        "jobs": [before, job],
        "groups": comparison.compare(before, job, timezone.now()).groups,
        "back_url": job_url(request, access, job),
    }
    return render_page(request, access, "jobs/elsewhere/compare.html", context, section="jobs")


def _send(
    request: HtmxRequest, access: Access, job: Job, chosen: TargetForm, target: Elsewhere
) -> HttpResponse:
    form = ElsewhereForm(request.POST)
    if not form.is_valid():
        return _page(request, access, job, chosen, form, target, status=422)
    values = form.cleaned_data
    target = replace(target, priority=values["priority"], reason=values["reason"])
    body = [target.account.pk, target.presets, target.priority, target.destination]
    try:
        key = form_key(values["key"], f"resubmit {job.pk} elsewhere", body, access.user)
        made = request_elsewhere(job, target, user=access.user, key=key).job
    except RetryUnfinished as error:
        form.add_error(None, str(error))
        return _page(request, access, job, chosen, form, target, status=409)
    except (SubmissionRefused, KeyRefused, KeyOfDeletedJob) as error:
        form.add_error(None, str(error))
        return _page(request, access, job, chosen, form, target, status=422)
    text = f"Retrying {job} at {target.account} as this job."
    messages.success(request, " ".join([text, *describe_hold(target.account)]))
    return redirect(job_url(request, access, made))


def _page(
    request: HtmxRequest,
    access: Access,
    job: Job,
    chosen: TargetForm,
    form: ElsewhereForm,
    target: Elsewhere | None = None,
    *,
    status: int = 200,
) -> HttpResponse:
    """The lists of the chosen account; none where none of the accounts was chosen."""
    context = {
        "job": job,
        "chosen": chosen,
        "form": form,
        "target": target and target.account,
        "translation": target and translate_job(job, target),
        "back_url": job_url(request, access, job),
    }
    template = "jobs/elsewhere/elsewhere.html"
    return render_page(request, access, template, context, section="jobs", status=status)
