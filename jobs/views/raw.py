"""The provider's last body of a job, redacted: as a page, as a part of one, or as a file."""

import json
from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.http import content_disposition_header
from django.views.decorators.http import require_safe

from jobs.models import Job, JobBody
from jobs.views.job_detail import find_job
from jobs.views.shared.layout import HtmxRequest, render_page
from organizations.access import Access, requires
from organizations.permissions import Permission


@require_safe
@requires(Permission.READ)
def raw(request: HtmxRequest, access: Access, pk: int) -> HttpResponse:
    job = find_job(access, pk)
    body = get_object_or_404(JobBody, pk=job.pk)
    text = json.dumps(body.value, indent=2, ensure_ascii=False)
    if "download" in request.GET:
        return _download(job, text)
    context: dict[str, Any] = {"access": access, "job": job, "body": body, "text": text}
    if request.htmx:
        return render(request, "jobs/raw/_raw.html", context)
    return render_page(request, access, "jobs/raw/raw.html", context, section="jobs")


def _download(job: Job, text: str) -> HttpResponse:
    disposition = content_disposition_header(True, f"job-{job.pk}.json")
    return HttpResponse(
        text,
        content_type="application/json",
        headers={"Content-Disposition": disposition or "attachment"},
    )
