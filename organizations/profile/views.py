"""`/profile/`: what a signed-in person chooses, and where they are signed in."""

from allauth.usersessions.models import UserSession
from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from organizations.access import organizations_of, require_user
from organizations.audit.changes import changes
from organizations.models import AuditEntry, Organization, User
from organizations.profile.forms import ProfileForm, ThemeForm
from organizations.profile.sessions import devices_of, end
from organizations.profile.time_zones import known_zones

SEEN_BY_COLLEAGUES = {"name"}


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    user = require_user(request)
    if request.method != "POST":
        return _show(request, user, ProfileForm(instance=user))
    # an own object: what was refused is not shown as if it were saved
    form = ProfileForm(request.POST, instance=User.objects.get(pk=user.pk))
    if not form.is_valid():
        return _show(request, user, form, status=422)
    with transaction.atomic():
        _record_change(user, _choices_of(user), _choices_of(form.save()))
    messages.success(request, "Your profile is saved.")
    return redirect("organizations:profile")


def _record_change(user: User, before: dict[str, str], after: dict[str, str]) -> None:
    """What colleagues see of a person, in each organization; the rest is no business of theirs."""
    everywhere: list[Organization | None] = [*organizations_of(user)] or [None]
    for organizations, names in (
        (everywhere, SEEN_BY_COLLEAGUES),
        ([None], before.keys() - SEEN_BY_COLLEAGUES),
    ):
        old, new = ({name: side[name] for name in names} for side in (before, after))
        sides = changes(old, new)
        for organization in organizations if sides["after"] else ():
            AuditEntry.record(
                organization,
                "profile.changed",
                user,
                actor=user,
                before=sides["before"],
                after=sides["after"],
            )


def _choices_of(user: User) -> dict[str, str]:
    return {
        "name": user.name,
        "time_zone": user.time_zone,
        "theme": user.theme,
        "has_shortcuts": "on" if user.has_shortcuts else "off",
    }


def _show(
    request: HttpRequest, user: User, form: ProfileForm, *, status: int = 200
) -> HttpResponse:
    context = {
        "user": user,
        "form": form,
        "devices": devices_of(user, request.session.session_key),
    }
    return render(request, "organizations/profile.html", context, status=status)


@require_POST
def report_time_zone(request: HttpRequest) -> HttpResponse:
    """What the browser says, as long as nothing was chosen or reported before."""
    user, zone = require_user(request), request.POST.get("time_zone", "")
    if zone not in known_zones():
        return HttpResponse(status=422)
    User.objects.filter(pk=user.pk, time_zone="").update(time_zone=zone)
    return HttpResponse(status=204)


@require_POST
def set_theme(request: HttpRequest) -> HttpResponse:
    """From the switch that is on every page."""
    user, form = require_user(request), ThemeForm(request.POST)
    if not form.is_valid():
        return HttpResponse(status=422)
    User.objects.filter(pk=user.pk).update(theme=form.cleaned_data["theme"])
    return HttpResponse(status=204)


@require_POST
def end_session(request: HttpRequest, session_pk: int) -> HttpResponse:
    """Of the user's own sessions, this one."""
    user = require_user(request)
    row = get_object_or_404(UserSession, pk=session_pk, user=user)
    if row.session_key == request.session.session_key:
        messages.info(request, "This is the session you are using. Sign out to end it.")
    else:
        end([row], user)
        messages.success(request, "The session is ended.")
    return redirect("organizations:profile")


@require_POST
def end_other_sessions(request: HttpRequest) -> HttpResponse:
    user = require_user(request)
    rows = UserSession.objects.filter(user=user)
    ended = end(rows.exclude(session_key=request.session.session_key), user)
    messages.success(request, f"Sessions ended: {ended}.")
    return redirect("organizations:profile")
