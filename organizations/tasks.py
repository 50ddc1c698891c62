"""Celery's way in."""

from allauth.account.models import EmailAddress
from celery import Task, shared_task
from django.utils import timezone

from organizations.models import Invitation, User
from organizations.people.invitation_mail import send_invitation_mail
from organizations.sign_in.passwords import send_password_mail
from organizations.sign_in.verification import send_verification_mail

# Of a mail server that is down or asks to come back later: ten minutes in all.
RETRIES = 5
FIRST_WAIT_S = 20


@shared_task(name="organizations.tasks.mail_password_links", bind=True, max_retries=RETRIES)
def mail_password_links(self: Task[..., None], user_ids: list[int]) -> None:
    """Mail each user a link. Links are made here: none is ever in a message of the broker."""
    left = list(user_ids)
    try:
        for user in User.objects.filter(pk__in=user_ids, is_active=True).order_by("pk"):
            send_password_mail(user)
            left.remove(user.pk)
    except OSError as error:
        wait_s = FIRST_WAIT_S * 2**self.request.retries
        raise self.retry(args=(left,), exc=error, countdown=wait_s) from error


@shared_task(name="organizations.tasks.mail_invitation", bind=True, max_retries=RETRIES)
def mail_invitation(self: Task[..., None], pk: int) -> None:
    """Mail an open invitation's link, unless it was mailed: a task may run twice."""
    invitations = Invitation.objects.open(timezone.now()).filter(mailed_at__isnull=True)
    invitation = invitations.select_related("organization", "invited_by").filter(pk=pk).first()
    if invitation is None:
        return
    try:
        send_invitation_mail(invitation)
    except OSError as error:
        wait_s = FIRST_WAIT_S * 2**self.request.retries
        raise self.retry(exc=error, countdown=wait_s) from error


@shared_task(name="organizations.tasks.mail_verification_link", bind=True, max_retries=RETRIES)
def mail_verification_link(self: Task[..., None], address_id: int) -> None:
    """Mail the link, unless the address has been verified, or left, since."""
    address = EmailAddress.objects.filter(pk=address_id, verified=False).first()
    if address is None:
        return
    try:
        send_verification_mail(address)
    except OSError as error:
        wait_s = FIRST_WAIT_S * 2**self.request.retries
        raise self.retry(exc=error, countdown=wait_s) from error
