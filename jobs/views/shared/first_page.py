"""Back to a list's first page, where a cursor leads nowhere."""

from typing import Protocol

from django.http import HttpRequest, HttpResponseRedirect
from django.shortcuts import redirect

# Django refuses to redirect to more; what a browser sends in a URL is shorter by far.
MAX_URL = 8_000


class Filters(Protocol):
    def query(self) -> str: ...


def redirect_to_first_page(request: HttpRequest, filters: Filters) -> HttpResponseRedirect:
    """For a cursor of another list or order, or one that somebody cut short."""
    url = f"{request.path}?{filters.query()}"
    return redirect(url if len(url) <= MAX_URL else request.path)
