"""The navigation of the settings, and the page around each section."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from jobs.models import RequestTemplate, RetryRule, StoredLocation
from jobs.views.shared.layout import render_page
from organizations.access import Access
from organizations.models import ApiToken, Organization
from organizations.permissions import Permission


@dataclass(frozen=True, slots=True)
class Section:
    """An entry of the navigation: `name` is that of its URL in `jobs.urls`.

    It is shown to those who have `permission`, with the number that `count` returns, if any.
    """

    name: str
    label: str
    permission: Permission
    count: Callable[[Organization], int] | None = None


SECTIONS = (
    Section("settings", "General", Permission.READ),
    Section("members", "Members", Permission.READ, lambda one: one.memberships.count()),
    Section("roles", "Roles", Permission.READ),
    Section(
        "templates",
        "Templates",
        Permission.READ,
        lambda one: RequestTemplate.objects.for_organization(one).active().count(),
    ),
    Section(
        "rules",
        "Retry rules",
        Permission.READ,
        lambda one: RetryRule.objects.filter(organization=one).count(),
    ),
    Section(
        "destinations",
        "Storage",
        Permission.READ,
        lambda one: StoredLocation.objects.for_organization(one).count(),
    ),
    Section("tokens", "API tokens", Permission.TOKENS, ApiToken.objects.count_active),
    Section("audit", "Audit log", Permission.AUDIT),
)


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    count: int | None
    is_current: bool


def tabs(access: Access, current: str) -> list[Tab]:
    organization = access.organization
    return [
        Tab(
            section.label,
            reverse(f"jobs:{section.name}", args=[organization.slug]),
            section.count(organization) if section.count else None,
            section.name == current,
        )
        for section in SECTIONS
        if access.allows(section.permission)
    ]


def render_settings(
    request: HttpRequest,
    access: Access,
    name: str,
    template: str,
    context: dict[str, Any],
    *,
    status: int = 200,
) -> HttpResponse:
    """Render a page of the section `name`."""
    context = {"settings_tabs": tabs(access, name), **context}
    return render_page(request, access, template, context, section="settings", status=status)
