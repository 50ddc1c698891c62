"""What every page of the board shares: the layout around it, and how current its data is."""

import re
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django_htmx.middleware import HtmxDetails

from jobs.accounts.freshness import Freshness, fingerprint, freshness
from jobs.models import ProviderAccount
from organizations.access import Access
from organizations.models import Organization

# What a browser sends of a list's query, and as much of it as a link should hold.
_QUERY = re.compile(r"[\w%&=+.~:*!'(),;/?@$-]{1,2000}", re.ASCII)


class HtmxRequest(HttpRequest):
    """A request as django-htmx's middleware leaves it."""

    htmx: HtmxDetails


def freshness_of(organization: Organization) -> list[Freshness]:
    """Each account of the organization with its state, by name; one query, no secrets loaded."""
    now = timezone.now()
    accounts = (
        ProviderAccount.objects.for_organization(organization)
        .defer("credentials", "hook_secret")
        .order_by("name", "pk")
    )
    return [freshness(account, now) for account in accounts]


def layout_context(access: Access, section: str) -> dict[str, Any]:
    """What the layout around a page needs; `section` is the entry of the navigation."""
    states = freshness_of(access.organization)
    return {
        "access": access,
        "section": section,
        "health": states,
        "health_fingerprint": fingerprint(states),
        "jobs_url": reverse("jobs:list", args=[access.organization.slug]),
    }


def list_url(request: HttpRequest, access: Access) -> str:
    """The job list as it was filtered on the page before, else all jobs.

    The Referer gives no more than the query, which goes behind our own path.
    """
    path = reverse("jobs:list", args=[access.organization.slug])
    page, _, query = request.headers.get("Referer", "").partition("?")
    return f"{path}?{query}" if page.endswith(path) and _QUERY.fullmatch(query) else path


def render_page(
    request: HttpRequest,
    access: Access,
    template: str,
    context: dict[str, Any],
    *,
    section: str,
    status: int = 200,
) -> HttpResponse:
    """Render a page inside the layout."""
    return render(request, template, layout_context(access, section) | context, status=status)
