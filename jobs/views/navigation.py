"""Ways to a list or a job: the front page, an organization's, and the search box."""

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
from jobs.views.shared.view_links import default_url
from organizations.access import Access, default_organization, require_user, requires
from organizations.models import Organization, User
from organizations.permissions import Permission


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """`/`: the organization that the user worked in last."""
    organization = default_organization(request)
    if organization is None:
        return redirect("organizations:list")
    return _redirect_to_jobs(require_user(request), organization)


@require_safe
@requires(Permission.READ)
def overview(request: HttpRequest, access: Access) -> HttpResponse:
    return _redirect_to_jobs(access.user, access.organization)


def _redirect_to_jobs(user: User, organization: Organization) -> HttpResponse:
    """To the view that the user begins with, else to all jobs."""
    every = reverse("jobs:list", args=[organization.slug])
    return redirect(default_url(user, organization) or every)


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
