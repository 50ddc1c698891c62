"""Whether the person who signs in reads the mail of their address; asked where mail is set up.

Whoever comes by a one-time link, or from an issuer that verified the address, has shown it. Not by
the link of an invitation on a board without a mail server, which owners see.
"""

from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse

from organizations.models import User
from organizations.sign_in.passwords import publish_on_commit

SUBJECT = "Confirm your e-mail address for Reelboard"
BODY = """Somebody, most likely you, signed in as {email} at {site}.

Please confirm that this is your address, within {days} days:

{link}

If it was not you, ignore this mail. Nobody gets in without it.
"""


@transaction.atomic
def mark_verified(user: User) -> None:
    forget_other_addresses(user)
    # kept of a user whose address it was before
    EmailAddress.objects.filter(email=user.email).exclude(user=user).delete()
    EmailAddress.objects.update_or_create(
        user=user, email=user.email, defaults={"verified": True, "primary": True}
    )


@transaction.atomic
def note_unproven(user: User) -> None:
    """Of a new user, whom anybody who saw a link may have made."""
    EmailAddress.objects.create(user=user, email=user.email, verified=False, primary=True)


@transaction.atomic
def end_unproven_access(user: User) -> list[str]:
    """End the ways in of whoever made the user without having shown that the address is theirs.

    For the moment at which somebody has; returns what was ended. Users whom a superuser or a
    command made keep theirs.
    """
    if not EmailAddress.objects.filter(user=user, email=user.email, verified=False).exists():
        return []
    ended = []
    if user.has_usable_password():
        user.set_unusable_password()
        user.save(update_fields=["password"])
        ended.append("password")
    if Authenticator.objects.filter(user=user).delete()[0]:
        ended.append("second factors")
    sessions = list(UserSession.objects.filter(user=user))
    for session in sessions:
        session.end()
    return [*ended, "sessions"] if sessions else ended


def forget_other_addresses(user: User) -> None:
    """After the address of a user was changed: the old one no longer signs them in."""
    EmailAddress.objects.filter(user=user).exclude(email=user.email).delete()


def request_verification_mail(address: EmailAddress) -> None:
    """Have a worker mail the link. A lost message is not sent again: the next sign-in asks anew."""
    publish_on_commit("organizations.tasks.mail_verification_link", address.pk)


def send_verification_mail(address: EmailAddress) -> None:
    """Raises OSError when the mail server does not take it.

    The link is under BASE_URL, not the host of any request.
    """
    key = EmailConfirmationHMAC.create(address).key
    body = BODY.format(
        email=address.email,
        site=settings.BASE_URL,
        days=settings.ACCOUNT_EMAIL_CONFIRMATION_EXPIRE_DAYS,
        link=settings.BASE_URL + reverse("account_confirm_email", args=[key]),
    )
    send_mail(SUBJECT, body, None, [address.email])
