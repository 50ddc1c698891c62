"""Pages of people outside of an organization: the way in by invitation, and what one belongs to."""

from typing import Any

from allauth.account.utils import perform_login
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from organizations.access import require_user
from organizations.models import Invitation, Membership, User
from organizations.people.forms import JoinForm, NewOrganizationForm, NewUserForm
from organizations.people.invitations import (
    AddressTaken,
    InvitationEnded,
    accept,
    accept_as_new_user,
    find_open,
)
from organizations.people.members import add, create_organization


@require_http_methods(["GET", "HEAD", "POST"])
def invitation(request: HttpRequest, pk: int, secret: str) -> HttpResponse:
    """The page behind an invitation's link; what it offers depends on who is signed in."""
    found = find_open(pk, secret)
    if found is None:
        return _show_ended(request)
    try:
        if isinstance(request.user, User):
            return _accept_signed_in(request, found, request.user)
        return _accept_signed_out(request, found)
    except InvitationEnded:  # in another tab, just now
        return _show_ended(request)


def _accept_signed_in(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    if user.email != invitation.email:
        return _show(request, "organizations/invitation_other.html", invitation, status=403)
    if request.method != "POST":
        return _show(request, "organizations/invitation_join.html", invitation)
    return _welcome(request, accept(invitation, user))


def _accept_signed_out(request: HttpRequest, invitation: Invitation) -> HttpResponse:
    if User.objects.filter(email=invitation.email).exists():
        return _show(request, "organizations/invitation_sign_in.html", invitation)
    form = NewUserForm(invitation.email, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        page = "organizations/invitation_new.html"
        return _show(request, page, invitation, status=status, form=form)
    try:
        user = accept_as_new_user(
            invitation, form.cleaned_data["name"], form.cleaned_data["password1"]
        )
    except AddressTaken:
        return _show(request, "organizations/invitation_sign_in.html", invitation)
    return perform_login(request, user, redirect_url=invitation.organization.path)


def _welcome(request: HttpRequest, membership: Membership) -> HttpResponse:
    messages.success(request, f"You are a member of {membership.organization.name} now.")
    return redirect(membership.organization.path)


def _show(
    request: HttpRequest, template: str, invitation: Invitation, *, status: int = 200, **more: Any
) -> HttpResponse:
    return render(request, template, {"invitation": invitation, **more}, status=status)


def _show_ended(request: HttpRequest) -> HttpResponse:
    """The same for a link that never was one: nobody learns which invitations there are."""
    return render(request, "organizations/invitation_ended.html", status=410)


@require_safe
def organization_list(request: HttpRequest) -> HttpResponse:
    """What the user belongs to, and what to do for those who belong to nothing."""
    return _show_list(request, require_user(request))


@require_POST
def organization_new(request: HttpRequest) -> HttpResponse:
    user = _require_superuser(request)
    form = NewOrganizationForm(request.POST)
    if not form.is_valid():
        return _show_list(request, user, new_form=form)
    return _welcome(request, create_organization(form.save(commit=False), owner=user))


@require_POST
def organization_join(request: HttpRequest) -> HttpResponse:
    user = _require_superuser(request)
    form = JoinForm(user, request.POST)
    if not form.is_valid():
        return _show_list(request, user, join_form=form)
    data = form.cleaned_data
    return _welcome(
        request, add(data["organization"], user, data["role"], by=user, how="superuser")
    )


def _require_superuser(request: HttpRequest) -> User:
    """Who could do the same in the Django admin. Raises PermissionDenied for others."""
    user = require_user(request)
    if not user.is_superuser:
        raise PermissionDenied("Only a superuser may create or join organizations.")
    return user


def _show_list(
    request: HttpRequest,
    user: User,
    *,
    new_form: NewOrganizationForm | None = None,
    join_form: JoinForm | None = None,
) -> HttpResponse:
    context: dict[str, Any] = {
        "user": user,
        "memberships": user.memberships.select_related("organization").order_by(
            "organization__name", "organization_id"
        ),
    }
    if user.is_superuser:
        context["new_form"] = new_form or NewOrganizationForm()
        context["join_form"] = join_form or JoinForm(user)
    status = 422 if new_form or join_form else 200
    return render(request, "organizations/list.html", context, status=status)
