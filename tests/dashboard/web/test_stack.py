"""What a request costs does not depend on how deep in the stack it is answered."""

import resource
from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory

from dashboard.web import stack
from dashboard.web.stack import stack_room

CALLS = 5_000


def _answer(request: HttpRequest) -> HttpResponse:
    def inner() -> None: ...

    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(CALLS):
        inner()
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
    return HttpResponse(str(faults))


def _call_at(depth: int, view: Callable[[HttpRequest], HttpResponse]) -> int:
    """How often the system was asked for memory while the view, called at this depth, ran."""
    if depth:
        return _call_at(depth - 1, view)
    return int(view(RequestFactory().get("/")).content)


def test_no_depth_has_calls_ask_the_system_for_memory() -> None:
    view = stack_room(_answer)
    assert max(_call_at(depth, view) for depth in range(200)) < CALLS / 10


def test_without_the_room_there_are_depths_that_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stack, "SLOTS", 10)
    view = stack_room(_answer)
    assert max(_call_at(depth, view) for depth in range(200)) >= CALLS / 10
