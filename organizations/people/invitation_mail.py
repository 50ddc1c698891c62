"""The message with an invitation's link, sent by a worker."""

from functools import partial

import structlog
from celery import current_app
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.utils import timezone

from organizations.models import Invitation
from providers.parsing.text import make_one_line

log = structlog.get_logger(__name__)

# What no worker took by then shows as not mailed on the page of members, and can be sent again.
LIFE_S = 3600

SUBJECT = "You are invited to {organization} on Reelboard"
BODY = """{inviter} invites you to join {organization} on Reelboard as {role}.

This link accepts the invitation, once, within 7 days:

{link}

It is for {email} alone. If you do not expect it, ignore this mail.
"""


def request_invitation_mail(invitation: Invitation) -> None:
    """Have a worker mail the link once the invitation is stored. A lost message is not repeated."""
    if settings.MAIL_IS_SET_UP:
        transaction.on_commit(partial(_publish, invitation.pk))


def send_invitation_mail(invitation: Invitation) -> None:
    """Raises OSError (smtplib's errors are such) when the mail server does not take it."""
    # a name with line breaks would be refused in a header
    organization = make_one_line(invitation.organization.name)
    inviter = invitation.invited_by
    body = BODY.format(
        inviter=make_one_line(inviter.display_name) if inviter else settings.BASE_URL,
        organization=organization,
        role=invitation.role_label,
        link=invitation.link,
        email=invitation.email,
    )
    send_mail(SUBJECT.format(organization=organization), body, None, [invitation.email])
    # unless it was renewed meanwhile, and that link is on its way by another message
    Invitation.objects.filter(pk=invitation.pk, nonce=invitation.nonce).update(
        mailed_at=timezone.now()
    )


def _publish(pk: int) -> None:
    try:
        current_app.send_task("organizations.tasks.mail_invitation", [pk], expires=LIFE_S)
    except Exception as error:  # whatever a broker's client raises
        log.warning("invitation mail not requested", error=type(error).__name__)
