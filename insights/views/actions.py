"""Muting, resolving, reopening and merging error groups, who looks after them and which ticket."""

from collections.abc import Callable

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods, require_POST

from insights.errors import actions
from insights.errors.actions import GroupRefused
from insights.errors.listing import with_jobs
from insights.forms import AssignGroupForm, GroupForm, MergeForm, MuteForm, TicketForm
from insights.views.error import find_group
from jobs.actions.assignment import AssignmentRefused
from jobs.models import JobErrorGroup
from jobs.query.visibility import Visibility
from jobs.views.mine.assignment import describe_assignee
from jobs.views.shared.layout import render_page
from organizations.access import Access, requires
from organizations.permissions import Permission

# Groups to merge with that are offered, those of the same class first.
MERGE_OFFERED = 100


@require_POST
@requires(Permission.TRIAGE)
def resolve(request: HttpRequest, access: Access, group_pk: int) -> HttpResponse:
    return _do(
        request, access, group_pk, actions.resolve, "Resolved; it opens again if it returns."
    )


@require_POST
@requires(Permission.TRIAGE)
def reopen(request: HttpRequest, access: Access, group_pk: int) -> HttpResponse:
    return _do(request, access, group_pk, actions.reopen, "The error is open again.")


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.TRIAGE)
def mute(request: HttpRequest, access: Access, group_pk: int) -> HttpResponse:
    group = find_group(access, group_pk)
    form = MuteForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            actions.mute(group, actor=access.user, reason=reason, **form.limits)
        except GroupRefused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, "The error is muted.")
        return _back(access, group)
    return _show(request, access, group, form)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.TRIAGE)
def ticket(request: HttpRequest, access: Access, group_pk: int) -> HttpResponse:
    group = find_group(access, group_pk)
    initial = {"ticket_url": group.ticket_url}
    form = TicketForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        actions.save_ticket(group, form.cleaned_data["ticket_url"], user=access.user)
        messages.success(request, "The ticket is saved.")
        return _back(access, group)
    return _show(request, access, group, form)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.TRIAGE)
def assign(request: HttpRequest, access: Access, group_pk: int) -> HttpResponse:
    group = find_group(access, group_pk)
    given = request.POST if request.method == "POST" else None
    form = AssignGroupForm(access.organization, given, initial={"assignee": group.assignee_id})
    if request.method == "POST" and form.is_valid():
        member = form.cleaned_data["assignee"]
        try:
            actions.assign(group, member, actor=access.user)
        except AssignmentRefused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, describe_assignee(access, member))
        return _back(access, group)
    return _show(request, access, group, form)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(Permission.TRIAGE)
def merge(request: HttpRequest, access: Access, group_pk: int) -> HttpResponse:
    group = find_group(access, group_pk)
    form = MergeForm(_others(access, group), request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            group = actions.merge(group, form.cleaned_data["into"], user=access.user)
        except GroupRefused as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, "Merged. What was merged can be split off again below.")
        return _back(access, group)
    return _show(request, access, group, form)


@require_POST
@requires(Permission.TRIAGE)
def split(request: HttpRequest, access: Access, group_pk: int) -> HttpResponse:
    """`group_pk` is the one that was merged."""
    group = actions.split(find_group(access, group_pk), user=access.user)
    messages.success(request, "Split off: this is a group of its own again.")
    return _back(access, group)


def _do(
    request: HttpRequest,
    access: Access,
    pk: int,
    action: Callable[..., JobErrorGroup],
    message: str,
) -> HttpResponse:
    group = action(find_group(access, pk), actor=access.user)
    messages.success(request, message)
    return _back(access, group)


def _back(access: Access, group: JobErrorGroup) -> HttpResponse:
    return redirect("insights:error", access.organization.slug, group.pk)


def _others(access: Access, group: JobErrorGroup) -> list[JobErrorGroup]:
    visible = Visibility(access.organization)
    groups = with_jobs(access.organization.error_groups.all(), visible).exclude(pk=group.pk)
    same = list(groups.filter(error_class=group.error_class).order_by("-pk")[:MERGE_OFFERED])
    others = groups.exclude(error_class=group.error_class).order_by("-pk")
    return [*same, *others[: MERGE_OFFERED - len(same)]]


def _show(
    request: HttpRequest, access: Access, group: JobErrorGroup, form: GroupForm
) -> HttpResponse:
    context = {"group": group, "form": form}
    status = 422 if form.errors else 200
    template = "insights/errors/form.html"
    return render_page(request, access, template, context, section="errors", status=status)
