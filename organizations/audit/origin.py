"""Where an action comes from: the client's address, and the id that ties its entries together."""

import ipaddress
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from allauth.account.adapter import get_adapter
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import get_contextvars


def _new_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Origin:
    """`address` is None for commands and background work. `action_id` has at most 64 characters:
    a request's id, or that of a bulk action. `name` says what acts, where no person and no token
    does.
    """

    address: str | None = None
    action_id: str = field(default_factory=_new_id)
    name: str = "command line"


_current: ContextVar[Origin | None] = ContextVar("origin", default=None)


def current_origin() -> Origin:
    """That of the request or the larger action under way, else a new one."""
    return _current.get() or Origin()


@contextmanager
def acting_from(origin: Origin) -> Iterator[None]:
    token = _current.set(origin)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def part_of(action_id: str) -> Iterator[None]:
    """Entries written within it belong to a larger action, wherever they come from."""
    with acting_from(Origin(current_origin().address, action_id)):
        yield


def request_origins(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware, below the one that names requests: entries carry the name that logs have."""

    def middleware(request: HttpRequest) -> HttpResponse:
        request_id = get_contextvars().get("request_id") or _new_id()
        with acting_from(Origin(_client_address(request), request_id)):
            return get_response(request)

    return middleware


def _client_address(request: HttpRequest) -> str | None:
    """None for what is no IP address: a proxy may send anything, and a socket has none."""
    try:
        address = get_adapter().get_client_ip(request)
    except PermissionDenied:  # a request that did not come through the proxy
        address = request.META.get("REMOTE_ADDR", "")
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return None
