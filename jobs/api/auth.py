"""Who calls: bearer tokens, their scope, and how often one may call."""

from django.http import HttpRequest
from ninja.security.http import HttpAuthBase

from jobs.api.errors import ApiError
from jobs.api.http.rate import Allowance, count_call
from organizations.models import ApiToken


class ApiRequest(HttpRequest):
    """A request that TokenAuth has let in."""

    auth: ApiToken
    allowance: Allowance


class TokenAuth(HttpAuthBase):
    """`Authorization: Bearer TOKEN`; the token becomes `request.auth`, its organization loaded."""

    openapi_scheme = "bearer"

    def __init__(self, *, to_operate: bool = False) -> None:
        super().__init__()
        self.to_operate = to_operate

    def __call__(self, request: HttpRequest) -> ApiToken | None:
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = ApiToken.authenticate(text.strip())
        if token is None:
            return None
        _count(request, token)
        if self.to_operate and not token.can_operate:
            raise ApiError(
                403, "forbidden", "This token can only read; use one with the operate scope."
            )
        return token


def _count(request: HttpRequest, token: ApiToken) -> None:
    allowance = count_call(token)
    # for the headers of the response, whatever it will be
    request.__dict__["allowance"] = allowance
    if allowance.is_exceeded:
        raise ApiError(
            *(429, "too_many_requests", "Too many requests: wait as long as Retry-After says."),
            headers={"Retry-After": str(allowance.seconds_left())},
        )
