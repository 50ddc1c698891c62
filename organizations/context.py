"""What the layout of every page needs to know."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from organizations.access import organizations_of
from organizations.models import Organization, User
from organizations.sign_in.passkeys import obstacle


def switcher(request: HttpRequest) -> dict[str, Any]:
    """`organizations`: those of the signed-in user, by name; asked for only if a template does."""

    def load() -> list[Organization]:
        # error pages are rendered for requests that never met the authentication middleware
        user = getattr(request, "user", None)
        return list(organizations_of(user)) if isinstance(user, User) else []

    return {"organizations": SimpleLazyObject(load)}


def sign_in(request: HttpRequest) -> dict[str, Any]:
    """`sign_in`: the ways in beside the password."""
    ways = {"single_sign_on": bool(settings.OIDC_ISSUER), "passkey_obstacle": obstacle()}
    return {"sign_in": ways}
