"""What is not there, not allowed or expired: inside the frame of their board for those who have
one."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.csrf import csrf_failure
from django.views.defaults import page_not_found, permission_denied

from jobs.views.shared.layout import layout_context
from organizations.access import Access, authorize, default_organization, organizations_of
from organizations.models import User
from organizations.permissions import Permission


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The same for what does not exist and what is another's."""
    access = _access(request)
    if access is None:
        return page_not_found(request, exception)
    return _render(request, access, "404_board.html", {}, status=404)


def not_allowed(request: HttpRequest, exception: Exception) -> HttpResponse:
    access = _access(request)
    if access is None:
        return permission_denied(request, exception)
    return _render(request, access, "403_board.html", {"reason": str(exception)}, status=403)


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For a form whose token is not that of the session: CSRF_FAILURE_VIEW."""
    access = _access(request)
    if access is None:
        return csrf_failure(request, reason)
    return _render(request, access, "403_csrf_board.html", {}, status=403)


def _access(request: HttpRequest) -> Access | None:
    """Of the organization in the URL, else of the one last used; None without a board."""
    user = getattr(request, "user", None)
    if not isinstance(user, User) or request.path.startswith("/admin/"):
        return None
    slug = request.resolver_match.kwargs.get("org") if request.resolver_match else None
    named = organizations_of(user).filter(slug=slug).first() if slug else None
    organization = named or default_organization(request)
    if organization is None:
        return None
    return authorize(request, organization.slug, Permission.READ)


def _render(
    request: HttpRequest, access: Access, template: str, context: dict[str, Any], *, status: int
) -> HttpResponse:
    return render(request, template, layout_context(access, "") | context, status=status)
