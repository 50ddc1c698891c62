"""Ways to a list or a job: the front page, an organization's, and the search box."""

import re
from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from jobs.models import Job
from jobs.query.references import has_control_characters
from organizations.access import Access, default_organization, requires
from organizations.models import Organization
from organizations.permissions import Permission


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """`/`: the organization that the user worked in last."""
    organization = default_organization(request)
    if organization is None:
        return redirect("organizations:list")
    return redirect("jobs:list", organization.slug)


@require_safe
@requires(Permission.READ)
def overview(request: HttpRequest, access: Access) -> HttpResponse:
    return redirect("jobs:list", access.organization.slug)


@require_safe
@requires(Permission.READ)
def search(request: HttpRequest, access: Access) -> HttpResponse:
    """The search box of the header: an id leads to its job, anything else to the list."""
    text = request.GET.get("q", "").strip()
    if has_control_characters(text):
        text = ""  # no name or id holds them, and PostgreSQL takes no NUL
    if job := _job_with_id(access.organization, text):
        return redirect("jobs:detail", access.organization.slug, job.pk)
    query = f"?{urlencode({'q': text})}" if text else ""
    return redirect(reverse("jobs:list", args=[access.organization.slug]) + query)


def _job_with_id(organization: Organization, text: str) -> Job | None:
    """The one job whose id, at the provider or here, is `text`; None for none or several."""
    ids = Q(remote_id=text.removeprefix("#"), is_newest=True)
    if re.fullmatch(r"#?[0-9]{1,18}", text):
        ids |= Q(pk=int(text.removeprefix("#")))
    found = list(Job.objects.for_organization(organization).filter(ids).only("pk")[:2])
    return found[0] if len(found) == 1 else None
