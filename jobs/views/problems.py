"""What is not there, not allowed or expired: inside the frame of their board for those who have
one."""

from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.csrf import csrf_failure
from django.views.defaults import page_not_found, permission_denied

from jobs.views.shared.layout import layout_context
from organizations.access import Access, default_organization, membership_of
from organizations.models import Role, User


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


def not_readable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """For a form that is too large, or that no browser sends."""
    is_too_large = isinstance(exception, RequestDataTooBig)
    status = 413 if is_too_large else 400
    return render(request, "400.html", {"is_too_large": is_too_large}, status=status)


def form_expired(request: HttpRequest, reason: str = "") -> HttpResponse:
    """For a form whose token is not that of the session: CSRF_FAILURE_VIEW."""
    access = _access(request)
    if access is None:
        return csrf_failure(request, reason)
    return _render(request, access, "403_csrf_board.html", {}, status=403)


def _access(request: HttpRequest) -> Access | None:
    """In the organization of the URL, else in the one last used; None without a board.

    Nothing is written, as `authorize` would: a refused request changes nothing at all.
    """
    user = getattr(request, "user", None)
    if not isinstance(user, User) or request.path.startswith("/admin/"):
        return None
    slug = request.resolver_match.kwargs.get("org") if request.resolver_match else None
    membership = membership_of(user, slug) if slug else None
    if membership is None and (organization := default_organization(request)):
        membership = membership_of(user, organization.slug)
    if membership is None:
        return None
    return Access(user, membership.organization, Role(membership.role), membership.pk)


def _render(
    request: HttpRequest, access: Access, template: str, context: dict[str, Any], *, status: int
) -> HttpResponse:
    return render(request, template, layout_context(access, "") | context, status=status)
