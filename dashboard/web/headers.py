"""Response headers that neither Django nor django-csp sets."""

import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from structlog.contextvars import bind_contextvars, unbind_contextvars

# None of these is used by any page, so a script that got in could not use them either.
UNUSED_FEATURES = ("camera", "geolocation", "microphone", "payment", "usb", "browsing-topics")
PERMISSIONS_POLICY = ", ".join(f"{feature}=()" for feature in UNUSED_FEATURES)

# What a proxy or a script may choose: nothing that could be mistaken for more in a log.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


def new_request_id() -> str:
    return uuid.uuid4().hex


def request_ids(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Name each request, in its response and in the logs; by the X-Request-Id that it came with.

    The logs have it until the request is finished: Django and Gunicorn write a line after this.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        sent = request.headers.get("X-Request-Id", "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else new_request_id()
        bind_contextvars(request_id=request_id)
        response = get_response(request)
        response["X-Request-Id"] = request_id
        return response

    return middleware


def forget_request_id(**kwargs: object) -> None:
    """Receives `request_finished`."""
    unbind_contextvars("request_id")


def permissions_policy(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    return middleware


def private_pages(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Keep what a view returns out of every cache: static files do not come this way.

    A page and the part of it that htmx asks for share one URL. A browser that kept the part
    would show it in the place of the page after Back.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-store")
        patch_vary_headers(response, ["HX-Request"])
        return response

    return middleware
