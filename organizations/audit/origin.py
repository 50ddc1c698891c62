"""Where an action comes from: the client's address, and the id that ties its entries together."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


def _new_id() -> str:
    return uuid.uuid4().hex


@dataclass(frozen=True, slots=True)
class Origin:
    """`address` is None for commands and background work. `action_id` has at most 64 characters:
    a request's id, or that of a bulk action.
    """

    address: str | None = None
    action_id: str = field(default_factory=_new_id)


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
