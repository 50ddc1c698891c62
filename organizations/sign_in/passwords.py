"""Links by which a user sets a password: mailed on request, printed for a new user."""

from collections.abc import Iterable
from functools import partial

import structlog
from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from celery import current_app
from django.conf import settings
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse

from organizations.models import User

log = structlog.get_logger(__name__)

# What no worker took by then is asked for again, and would only come as a surprise.
LIFE_S = 3600

SUBJECT = "Set a new password for Reelboard"
BODY = """Somebody, most likely you, asked to set a new password for {email} at {site}.

This link does it, once, within {days} days:

{link}

If it was not you, ignore this mail. Nothing has changed.
"""


def password_set_link(user: User) -> str:
    """Works once, and not after the user has signed in or PASSWORD_RESET_TIMEOUT has passed.

    Under BASE_URL, not the host of any request: that one is whatever the client sent.
    """
    token = default_token_generator.make_token(user)
    path = reverse("account_reset_password_from_key", args=[user_pk_to_url_str(user), token])
    return settings.BASE_URL.rstrip("/") + path


def request_password_mail(user_ids: Iterable[int]) -> None:
    """Have a worker mail a link to each user.

    Publishes for nobody as well, so that a known address takes as long as an unknown one. A lost
    message is not sent again: the page says to ask again.
    """
    publish_on_commit("organizations.tasks.mail_password_links", list(user_ids))


def send_password_mail(user: User) -> None:
    """Raises OSError (smtplib's errors are such) when the mail server does not take it."""
    body = BODY.format(
        email=user.email,
        site=settings.BASE_URL,
        days=settings.PASSWORD_RESET_TIMEOUT // 86_400,
        link=password_set_link(user),
    )
    send_mail(SUBJECT, body, None, [user.email])


def publish_on_commit(task: str, argument: object) -> None:
    """Enqueue a task that mails somebody. A broker that is down fails no request."""
    transaction.on_commit(partial(_publish, task, argument))


def _publish(task: str, argument: object) -> None:
    try:
        current_app.send_task(task, [argument], expires=LIFE_S)
    except Exception as error:  # whatever a broker's client raises
        log.warning("mail not requested", task=task, error=type(error).__name__)
