"""Links by which a user sets a password: mailed on request, printed for a new user."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from organizations.models import User


def password_set_link(user: User) -> str:
    """Works once, and not after the user has signed in or PASSWORD_RESET_TIMEOUT has passed."""
    return link_for_key(f"{user_pk_to_url_str(user)}-{default_token_generator.make_token(user)}")


def link_for_key(key: str) -> str:
    """The public address for allauth's `<user>-<token>` key.

    Under BASE_URL, not the host of the request: that one is whatever the client sent.
    """
    user_part, _, token_part = key.partition("-")
    path = reverse(
        "account_reset_password_from_key", kwargs={"uidb36": user_part, "key": token_part}
    )
    return settings.BASE_URL.rstrip("/") + path
