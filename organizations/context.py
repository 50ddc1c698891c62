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
        user = _user_of(request)
        return list(organizations_of(user)) if user else []

    return {"organizations": SimpleLazyObject(load)}


def preferences(request: HttpRequest) -> dict[str, Any]:
    """`person`: the signed-in user, whose theme the page has; None for nobody."""
    return {"person": _user_of(request)}


def _user_of(request: HttpRequest) -> User | None:
    # error pages are rendered for requests that never met the authentication middleware
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None


def sign_in(request: HttpRequest) -> dict[str, Any]:
    """`sign_in`: the ways in beside the password."""
    ways = {"single_sign_on": bool(settings.OIDC_ISSUER), "passkey_obstacle": obstacle()}
    return {"sign_in": ways}
