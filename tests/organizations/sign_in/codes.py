"""An authenticator app, and a user who set one up."""

import base64
import hashlib
import hmac
import re
import struct
import time

import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from organizations.encryption import decrypt
from organizations.models import User
from tests.factories import PASSWORD

LOGIN, AUTHENTICATE = "/accounts/login/", "/accounts/2fa/authenticate/"


def code_of(secret: str) -> str:
    """What an app shows now (RFC 6238)."""
    digest = hmac.digest(
        base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1
    )
    at = digest[-1] & 15
    return f"{(int.from_bytes(digest[at : at + 4]) & 0x7FFFFFFF) % 10**6:06}"


def current_code(client: Client) -> dict[str, str]:
    """The form with the code of the app that is being set up, or of the only one that is."""
    pending = client.session.get("mfa.totp.secret")
    if pending is None:
        pending = decrypt(Authenticator.objects.get(type="totp").data["secret"], "the app's key")
    return {"code": code_of(pending)}


def enter_password(client: Client, user: User, **extra: str) -> str:
    """Where the sign-in form leads to."""
    form = {"login": user.email, "password": PASSWORD, **extra}
    return str(client.post(LOGIN, form)["Location"])


def confirm_password(client: Client) -> None:
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})


def set_up_app(client: Client) -> str:
    """The secret of the app; the client is signed in, and has just confirmed its password."""
    confirm_password(client)
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    found = re.search(r'id="totp-key">(\w+)<', page)
    assert found
    with time_machine.travel(time.time(), tick=False):  # a code may end at any moment
        done = client.post(reverse("mfa_activate_totp"), {"code": code_of(found[1])})
    assert done["Location"] == reverse("mfa_view_recovery_codes")
    return found[1]


def recovery_codes(client: Client) -> list[str]:
    page = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    return re.findall(r"<code>(\d{8})</code>", page)
