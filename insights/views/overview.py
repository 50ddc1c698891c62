"""The front page: what needs somebody, and how the accounts are."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from insights.errors.listing import count_tabs
from insights.overview.attention import read_attention
from insights.overview.today import read_today_so_far
from jobs.accounts.freshness import Freshness
from jobs.notes.mentions import unread_of
from jobs.query import arrivals
from jobs.query.counts import count_active
from jobs.query.visibility import Visibility
from jobs.views.shared.layout import (
    HtmxRequest,
    column_of,
    freshness_of,
    health_context,
    layout_context,
)
from jobs.views.shared.view_links import default_url
from organizations.access import Access, default_organization, require_user, requires
from organizations.permissions import Permission

SECTION = "overview"


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """`/`: the view that the user begins with, of the organization that they worked in last.

    Without such a view, the overview.
    """
    organization = default_organization(request)
    if organization is None:
        return redirect("organizations:list")
    begin = default_url(require_user(request), organization)
    return redirect(begin) if begin else redirect("insights:overview", organization.slug)


@require_safe
@requires(Permission.READ)
def overview(request: HtmxRequest, access: Access) -> HttpResponse:
    """The page, or the part of it that a poll asks for; 204 while nothing can have changed."""
    if request.htmx and not request.htmx.history_restore_request:
        unread = unread_of(access.member_id)
        states = freshness_of(access.organization, mentions=unread)
        if request.GET.get("state") == _state(states):
            return HttpResponse(status=204)
        context = {"access": access, **health_context(states), **_content(access, states)}
        return render(request, "insights/overview/_update.html", context)
    context = layout_context(access, SECTION)
    context |= _content(access, context["health"])
    return render(request, "insights/overview/overview.html", context)


def _content(access: Access, states: list[Freshness]) -> dict[str, Any]:
    visible, now = Visibility(access.organization), timezone.now()
    active = count_active([state.account for state in states])
    return {
        "now": now,
        "jobs_url": reverse("jobs:list", args=[access.organization.slug]),
        "state": _state(states),
        "attention": read_attention(visible, states, now, mentions=_mentions(states)),
        "today": read_today_so_far(visible, now),
        "muted": count_tabs(visible, now).muted,
        "accounts": [(state, active[state.account.pk]) for state in states],
    }


def _state(states: list[Freshness]) -> str:
    """Another one when a job, an account or what is unread has changed, and each minute: times
    move on.
    """
    accounts = [state.account for state in states]
    health = [f"{state.account.pk}.{state.status}" for state in states]
    minute = int(timezone.now().timestamp() // 60)
    return arrivals.fingerprint(
        f"{arrivals.mark(accounts)} {'_'.join(health)} {_mentions(states)} {minute}"
    )


def _mentions(states: list[Freshness]) -> int:
    """How many mentions of the reader are unread."""
    return column_of(states, "mentions") or 0
