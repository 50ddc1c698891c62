"""The page in the place of one whose query the database stopped."""

import logging
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from jobs.models.statement_limit import TOO_SLOW, is_too_slow

log = logging.getLogger(__name__)


class SlowPages:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        if not is_too_slow(error):
            return None
        log.warning("A query took too long: %s", request.path)
        return render(request, "503.html", {"message": TOO_SLOW}, status=503)
