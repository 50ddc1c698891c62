"""What an owner does with an invitation that was not accepted yet."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from jobs.views.settings.members import describe_sent
from organizations.access import Access, requires
from organizations.models import Invitation
from organizations.people.invitations import send_again, withdraw
from organizations.permissions import Permission

ENDED = "This invitation was accepted or withdrawn meanwhile."


@require_POST
@requires(Permission.PEOPLE)
def invitation_send(request: HttpRequest, access: Access, invitation_pk: int) -> HttpResponse:
    """Send it again, with another link and for another seven days."""
    if sent := send_again(_find(access, invitation_pk), by=access.user):
        messages.success(request, describe_sent(sent))
    else:
        messages.info(request, ENDED)
    return redirect("jobs:members", access.organization.slug)


@require_POST
@requires(Permission.PEOPLE)
def invitation_withdraw(request: HttpRequest, access: Access, invitation_pk: int) -> HttpResponse:
    invitation = _find(access, invitation_pk)
    if withdraw(invitation, by=access.user):
        messages.success(request, f"The invitation of {invitation.email} is withdrawn.")
    else:
        messages.info(request, ENDED)
    return redirect("jobs:members", access.organization.slug)


def _find(access: Access, pk: int) -> Invitation:
    invitations = Invitation.objects.for_organization(access.organization)
    return get_object_or_404(invitations.select_related("organization"), pk=pk)
