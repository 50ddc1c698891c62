"""Where the search box leads: to a job, or to a list."""

from urllib.parse import urlencode

from django.db.models import Q
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_safe

from jobs.models import Job
from jobs.query.parameters import MAX_TEXT
from jobs.query.references import has_control_characters, read_id
from jobs.query.search.words import id_condition, text_condition
from jobs.views.shared.first_page import MAX_URL
from organizations.access import Access, requires
from organizations.models import Organization
from organizations.permissions import Permission


@require_safe
@requires(Permission.READ)
def search(request: HttpRequest, access: Access) -> HttpResponse:
    """The search box of the header: an id that nothing else contains leads to its job.

    Anything else leads to the list of what contains it, with the filters that it had.
    """
    text = " ".join(request.GET.get("q", "").split())
    if has_control_characters(text):
        text = ""  # no name or id holds them, and PostgreSQL takes no NUL
    if job := _only_job(access.organization, text):
        return redirect("jobs:detail", access.organization.slug, job.pk)
    url = reverse("jobs:list", args=[access.organization.slug])
    asked = [("q", text)] if text else []
    kept = [(name, value) for name, value in _pairs(request.GET) if name != "q"]
    if kept and len(longer := f"{url}?{urlencode(kept + asked)}") <= MAX_URL:
        return redirect(longer)
    return redirect(f"{url}?{urlencode(asked)}" if asked else url)


def _pairs(given: QueryDict) -> list[tuple[str, str]]:
    return [(name, value) for name, values in given.lists() for value in values]


def _only_job(organization: Organization, text: str) -> Job | None:
    """The job whose id, here or at the provider, is `text`, where no other job contains it.

    Earlier attempts of it count as the same job.
    """
    jobs = Job.objects.for_organization(organization)
    is_current = Q(is_newest=True) | Q(pk=read_id(text.removeprefix("#")) or 0)
    named = jobs.filter(id_condition(text)).filter(is_current)
    found = list(named.only("pk", "account", "remote_id")[:2])
    if len(found) != 1 or len(text) > MAX_TEXT:
        return None
    [job] = found
    same = Q(pk=job.pk) | Q(account=job.account_id, remote_id=job.remote_id, is_newest=False)
    others = jobs.exclude(same).filter(text_condition(text, organization.pk))
    return None if others.order_by("-sort_at", "-id").exists() else job
