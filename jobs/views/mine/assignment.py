"""Assigning a failed job to a member."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from jobs.actions import assignment
from jobs.forms.assignment import AssignForm
from jobs.models import Job
from jobs.views.job_detail import find_job
from jobs.views.shared.layout import render_page
from jobs.views.shared.list_place import job_url
from organizations.access import Access, requires
from organizations.models import Membership
from organizations.permissions import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.TRIAGE)
def assign(request: HttpRequest, access: Access, pk: int) -> HttpResponse:
    job = find_job(access, pk)
    url = job_url(request, access, job)
    if job.status != "failed" and job.assignee is None:
        messages.error(request, "Only a failed job can be assigned.")
        return redirect(url)
    initial = {"assignee": job.assignee_id}
    form = AssignForm(access.organization, request.POST or None, initial=initial)
    if request.method != "POST" or not form.is_valid():
        status = 422 if form.errors else 200
        context = {"job": job, "form": form, "back_url": url}
        template = "jobs/assignment/assign.html"
        return render_page(request, access, template, context, section="jobs", status=status)
    _assign(request, access, job, form.cleaned_data["assignee"])
    return redirect(url)


def _assign(request: HttpRequest, access: Access, job: Job, member: Membership | None) -> None:
    try:
        assignment.assign(job, member, actor=access.user)
    except assignment.AssignmentRefused as refused:
        messages.error(request, str(refused))
    else:
        messages.success(request, describe_assignee(access, member))


def describe_assignee(access: Access, member: Membership | None) -> str:
    """What was done, for a message."""
    if member is None:
        return "Assigned to nobody."
    name = "you" if member.user_id == access.user.pk else member.user.display_name
    return f"Assigned to {name}."
