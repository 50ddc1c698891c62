"""Members and their roles: seen by all members, changed by owners; leaving is open to everyone."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from jobs.views.settings.sections import render_settings
from organizations.access import Access, requires
from organizations.models import Invitation, Membership, Role
from organizations.people.forms import InviteForm, RemovalForm, RoleForm
from organizations.people.invitations import AlreadyMember, invite
from organizations.people.members import LastOwner, change_role, remove
from organizations.permissions import Permission


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.READ, to_change=Permission.PEOPLE)
def members(request: HttpRequest, access: Access) -> HttpResponse:
    """The list, and for owners the form that invites."""
    if request.method != "POST":
        return _show(request, access, InviteForm())
    form = InviteForm(request.POST)
    if not form.is_valid():
        return _show(request, access, form, status=422)
    email, role = form.cleaned_data["email"], form.cleaned_data["role"]
    try:
        invitation = invite(access.organization, email, role, by=access.user)
    except AlreadyMember as error:
        form.add_error("email", str(error))
        return _show(request, access, form, status=422)
    messages.success(request, describe_sent(invitation))
    return redirect("jobs:members", access.organization.slug)


def describe_sent(invitation: Invitation) -> str:
    if settings.MAIL_IS_SET_UP:
        return f"{invitation.email} is invited. The link is sent by e-mail."
    return f"{invitation.email} is invited. Copy the link below and send it yourself."


@require_POST
@requires(Permission.PEOPLE)
def member_role(request: HttpRequest, access: Access, membership_pk: int) -> HttpResponse:
    membership = _find(access, membership_pk)
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose one of the roles.")
    else:
        try:
            changed = change_role(membership, form.cleaned_data["role"], by=access.user)
        except LastOwner as error:
            messages.error(request, str(error))
        else:
            _report_role(request, membership, changed)
    return redirect("jobs:members", access.organization.slug)


def _report_role(request: HttpRequest, asked: Membership, changed: Membership | None) -> None:
    name = asked.user.display_name
    if changed is None:
        messages.info(request, f"{name} is no longer a member.")
    else:
        messages.success(request, f"The role of {name} is {changed.role_label}.")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.PEOPLE)
def member_remove(request: HttpRequest, access: Access, membership_pk: int) -> HttpResponse:
    """Asks first."""
    membership = _find(access, membership_pk)
    if membership.user == access.user:
        return redirect("jobs:member_leave", access.organization.slug)
    if response := _remove(request, access, membership):
        messages.success(request, f"{membership.user.display_name} is no longer a member.")
        return response
    return _ask(request, access, "jobs/settings/member_remove.html", membership)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.READ)
def member_leave(request: HttpRequest, access: Access) -> HttpResponse:
    """Asks first."""
    membership = access.organization.memberships.get(user=access.user)
    if _remove(request, access, membership):
        messages.success(request, f"You have left {access.organization.name}.")
        return redirect("insights:home")
    return _ask(request, access, "jobs/settings/member_leave.html", membership)


def _remove(request: HttpRequest, access: Access, membership: Membership) -> HttpResponse | None:
    """None where it is yet to be confirmed, or was refused with a message."""
    form = RemovalForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return None
    try:
        remove(membership, by=access.user, reason=form.cleaned_data["reason"])
    except LastOwner as error:
        messages.error(request, str(error))
        return None
    return redirect("jobs:members", access.organization.slug)


def _ask(
    request: HttpRequest, access: Access, template: str, membership: Membership
) -> HttpResponse:
    form = RemovalForm(request.POST if request.method == "POST" else None)
    context = {"membership": membership, "form": form}
    status = 422 if form.is_bound else 200
    return render_settings(request, access, "members", template, context, status=status)


def _find(access: Access, pk: int) -> Membership:
    memberships = access.organization.memberships.select_related("user", "organization")
    return get_object_or_404(memberships, pk=pk)


def _show(
    request: HttpRequest, access: Access, form: InviteForm, *, status: int = 200
) -> HttpResponse:
    context: dict[str, Any] = {
        "memberships": access.organization.memberships.select_related("user").order_by(
            "-role", "user__name", "user__email"
        ),
        "roles": Role.choices,
    }
    if access.allows(Permission.PEOPLE):
        invitations = Invitation.objects.for_organization(access.organization).pending()
        context |= {
            "form": form,
            "invitations": invitations.select_related("invited_by").order_by("-expires_at"),
            "mail_is_set_up": settings.MAIL_IS_SET_UP,
            "now": timezone.now(),
        }
    template = "jobs/settings/members.html"
    return render_settings(request, access, "members", template, context, status=status)
