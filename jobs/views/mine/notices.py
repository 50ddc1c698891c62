"""Notices of jobs that ended: asking for one, showing them and dismissing them."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from jobs.actions import end_notices
from jobs.actions.end_notices import NoticeRefused, Notices
from jobs.notes.mentions import unread_of
from jobs.query.references import read_id
from jobs.views.job_detail import find_job
from jobs.views.shared.layout import HtmxRequest
from jobs.views.shared.list_place import job_url
from organizations.access import Access, requires
from organizations.models import Membership
from organizations.permissions import Permission


@require_POST
@requires(Permission.READ)
def notify(request: HtmxRequest, access: Access, pk: int) -> HttpResponse:
    """Ask for a notice of one job, or take the wish back with `off`."""
    job = find_job(access, pk)
    message = "You will be notified in this browser when the job ends."
    refusal = ""
    if "off" in request.POST:
        end_notices.dismiss(access.member_id, [job.pk])
        message = "You will not be notified of this job."
    elif access.member_id is not None:
        try:
            end_notices.request_notice(job, access.member_id)
        except NoticeRefused as refused:
            refusal = str(refused)
    if request.htmx:
        context = {
            "access": access,
            "job": job,
            "is_notified": end_notices.is_requested(job, access.member_id),
            "notice_message": refusal or message,
            "notice_refusal": refusal,
            "notices": _read(access),
        }
        return render(request, "jobs/notices/_answer.html", context)
    (messages.error if refusal else messages.success)(request, refusal or message)
    return redirect(job_url(request, access, job))


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.READ)
def notices(request: HtmxRequest, access: Access) -> HttpResponse:
    """The notices that a page shows, 204 where it shows them already. A POST dismisses the one
    about `job`, or all.
    """
    if request.method == "POST":
        job = read_id(request.POST.get("job", ""))
        end_notices.dismiss(access.member_id, None if job is None else [job])
        if not request.htmx:
            return redirect(_page_before(request, access))
    found = _read(access)
    if request.method != "POST" and request.GET.get("notices") == found.fingerprint:
        return HttpResponse(status=204)
    context = {"access": access, "notices": found}
    return render(request, "jobs/notices/_notices.html", context)


def _read(access: Access) -> Notices:
    """One query."""
    columns = (end_notices.notices_of(access.member_id), unread_of(access.member_id))
    members = Membership.objects.filter(pk=access.member_id or 0)
    found = members.values_list(*columns).first()
    return end_notices.read_notices(*(found or (None, None)))


def _page_before(request: HttpRequest, access: Access) -> str:
    """Where the button was, if that is a page of this organization."""
    before = request.headers.get("Referer", "")
    is_ours = url_has_allowed_host_and_scheme(before, {request.get_host()}, request.is_secure())
    is_here = is_ours and access.organization.path in before
    return before if is_here else reverse("jobs:list", args=[access.organization.slug])
