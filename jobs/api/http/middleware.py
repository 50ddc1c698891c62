"""What every response of the API has, also one that no call of it made."""

from collections.abc import Callable
from typing import cast

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.middleware.http import ConditionalGetMiddleware

from jobs.api.errors import ApiError
from jobs.api.http.rate import full_allowance

PREFIX = "/api/"
GetResponse = Callable[[HttpRequest], HttpResponseBase]


def rate_limits(get_response: GetResponse) -> GetResponse:
    """Say what may still be called, also to a browser that asks whether it may call at all."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.path_info.startswith(PREFIX):
            allowance = getattr(request, "allowance", None) or full_allowance()
            for name, value in allowance.headers.items():
                response[name] = value
        return response

    return middleware


def api_responses(get_response: GetResponse) -> GetResponse:
    """Add ETag and compression; refuse an unknown host in JSON; answer HEAD.

    Stands before all that might refuse a request in HTML.
    """
    conditional = ConditionalGetMiddleware(get_response)

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        method = request.method
        if method == "HEAD":  # the server leaves out the body
            request.method = "GET"
        response = _refuse_host(request) or cast(HttpResponseBase, conditional(request))
        response = _compress(request, response)
        request.method = method
        return response

    return middleware


def _refuse_host(request: HttpRequest) -> HttpResponse | None:
    try:
        request.get_host()
    except DisallowedHost:
        return ApiError(400, "bad_host", "The board is not served under this host name.").response()
    return None


def _compress(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """Compress what a cache may keep: nothing that is marked as secret.

    The length of a compressed secret can reveal it (BREACH).
    """
    if "no-store" in response.get("Cache-Control", "no-store"):
        return response
    return GZipMiddleware(lambda request: response).process_response(request, response)
