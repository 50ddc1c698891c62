"""What watches the process: liveness, readiness and metrics."""

import secrets
from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from prometheus_client import CONTENT_TYPE_LATEST

from dashboard import schema_version
from dashboard.metrics import exposition


def probes(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Answer monitoring requests before the Host header is checked.

    Platforms and Prometheus ask a process by its address, which is in no ALLOWED_HOSTS. To a
    request for metrics without the token the page is not there, as any that nobody made.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        match request.path_info:
            case "/healthz":
                return _text("ok\n")
            case "/readyz":
                return _readiness()
            case "/metrics" if _has_metrics_token(request):
                return HttpResponse(exposition(timezone.now()), content_type=CONTENT_TYPE_LATEST)
        return get_response(request)

    return middleware


def _readiness() -> HttpResponse:
    """200 once the database answers and has the tables of this code, else 503 with the reason.

    What needs an old key is named, and no failure.
    """
    try:
        problem = schema_version.find_problem()
        note = "" if problem else schema_version.find_old_keys()
    except DatabaseError:
        problem = "The database is not responding."
    if problem:
        return _text(f"{problem}\n", status=503)
    return _text(f"ok\n{note}\n" if note else "ok\n")


def _has_metrics_token(request: HttpRequest) -> bool:
    expected = f"Bearer {settings.METRICS_TOKEN}".encode()
    given = request.headers.get("Authorization", "").encode()
    return bool(settings.METRICS_TOKEN) and secrets.compare_digest(given, expected)


def _text(text: str, status: int = 200) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain")
