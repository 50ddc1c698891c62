"""Who calls: bearer tokens, their scope, and how often one may call."""

from django.http import HttpRequest
from ninja.security.http import HttpAuthBase

from jobs.api.errors import ApiError
from jobs.api.http.rate import Allowance, count_call
from jobs.query.visibility import Visibility
from organizations.models import ApiToken
from organizations.permissions import RULES, Permission, scope_allows


class ApiRequest(HttpRequest):
    """A request that TokenAuth has let in."""

    auth: ApiToken
    allowance: Allowance


class TokenAuth(HttpAuthBase):
    """`Authorization: Bearer TOKEN`; the token becomes `request.auth`, its organization loaded.

    Its scope must allow `permission`. What it may see of the organization, `visible_to` says.
    """

    openapi_scheme = "bearer"

    def __init__(self, permission: Permission) -> None:
        super().__init__()
        self.permission = permission

    def __call__(self, request: HttpRequest) -> ApiToken | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = ApiToken.authenticate(text.strip())
        if token is None:
            return None
        _count(request, token)
        if not scope_allows(token.scope, self.permission):
            raise _forbid(token, self.permission)
        return token


def visible_to(request: ApiRequest) -> Visibility:
    """What the token of the call may see: every query of the API begins here."""
    token = request.auth
    ids = token.account_ids
    return Visibility(token.organization, None if ids is None else frozenset(ids))


def _forbid(token: ApiToken, permission: Permission) -> ApiError:
    needed = RULES[permission].scope
    if needed is None:
        return ApiError(403, "forbidden", "No API token may do this.")
    message = f"Requires a token with the scope {needed.value}; this one has {token.scope}."
    return ApiError(403, "forbidden", message)


def _count(request: HttpRequest, token: ApiToken) -> None:
    allowance = count_call(token)
    # for the headers of the response, whatever it will be
    request.__dict__["allowance"] = allowance
    if allowance.is_exceeded:
        raise ApiError(
            *(429, "too_many_requests", "Too many requests: wait as long as Retry-After says."),
            headers={"Retry-After": str(allowance.seconds_left())},
        )
