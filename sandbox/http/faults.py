"""Failing on purpose: what a provider, or the way to it, does to a client on a bad day."""

import json
import random
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from sandbox.http.web import Ending, Request, Response, html_response

# strikes the list of jobs alone, whichever provider's
NO_LIST = "no_list"
LIST_PATH = re.compile(r"/(transcoding_)?jobs(\.json)?/?$")

HUGE_BYTES = 64 * 1024 * 1024


class Refusals(Protocol):
    """The error responses of one provider."""

    def refuse_rate(self, wait_s: int) -> Response: ...
    def refuse_key(self) -> Response: ...
    def not_found(self) -> Response: ...


class FaultError(ValueError):
    """An unknown fault or a wrong setting; the message is one sentence."""


@dataclass(slots=True)
class Fault:
    """Strikes matching requests at `rate`, or exactly the next `times` of them.

    `path` is a part of the path, `method` a method; both empty match all calls of a provider
    (media only when `path` names it). `delay_s` is for the slow ones.
    """

    name: str
    rate: float = 1.0
    times: int | None = None
    path: str = ""
    method: str = ""
    delay_s: float | None = None

    def matches(self, request: Request, is_provider_call: bool) -> bool:
        if not (is_provider_call or self.path.startswith("/media")):
            return False
        if self.name == NO_LIST and not _is_list(request):
            return False
        return self.path in request.path and self.method in ("", request.method)


Handle = Callable[[], Response]


class Faults:
    """The faults that are set. With the same seed and the same requests, the same ones strike."""

    def __init__(self, seed: int, stopping: threading.Event) -> None:
        self._random = random.Random(f"faults:{seed}")  # noqa: S311 (must be repeatable)
        self._stopping = stopping
        self._lock = threading.Lock()
        self._faults: dict[str, Fault] = {}
        self._struck: dict[str, int] = {}

    def update(self, settings: Mapping[str, Any]) -> None:
        """`{name: rate}` or `{name: {"rate", "times", "path", "method", "delay_s"}}`; 0 or null
        ends a fault, names not given stay. FaultError changes nothing."""
        parsed = [_parse(name, setting) for name, setting in settings.items()]
        with self._lock:
            for fault in parsed:
                self._faults.pop(fault.name, None)
                if fault.rate > 0 and fault.times != 0:
                    self._faults[fault.name] = fault

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def describe(self) -> dict[str, Any]:
        with self._lock:
            return {
                "set": {name: asdict(fault) for name, fault in self._faults.items()},
                "struck": dict(self._struck),
            }

    def pick(self, request: Request, is_provider_call: bool) -> Fault | None:
        """The fault that strikes this request, if any; counts it."""
        with self._lock:
            for fault in self._faults.values():
                if not fault.matches(request, is_provider_call):
                    continue
                if self._random.random() >= fault.rate:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if fault.times == 0:
                        del self._faults[fault.name]
                self._struck[fault.name] = self._struck.get(fault.name, 0) + 1
                return fault
        return None

    def strike(self, fault: Fault, handle: Handle, provider: Refusals | None) -> Response:
        """The response instead of, or made from, what `handle` gives."""
        if fault.name in REFUSALS and provider:
            return REFUSALS[fault.name](provider)
        if fault.name in DELAYS:
            self._stopping.wait(DELAYS[fault.name] if fault.delay_s is None else fault.delay_s)
        return STRIKES.get(fault.name, _server_error)(handle)


def _parse(name: str, setting: Any) -> Fault:
    if name not in NAMES:
        raise FaultError(f"There is no fault {name!r}: choose from {', '.join(NAMES)}.")
    fields = setting if isinstance(setting, dict) else {"rate": setting or 0}
    try:
        fault = Fault(name, **fields)
        rate = float(fault.rate)
        times = None if fault.times is None else int(fault.times)
        delay_s = None if fault.delay_s is None else float(fault.delay_s)
    except (TypeError, ValueError) as error:
        raise FaultError(f"The fault {name!r} can't be set to {json.dumps(setting)}.") from error
    if not 0 <= rate <= 1:
        raise FaultError(f"The rate of {name!r} must be from 0 to 1.")
    return replace(fault, rate=rate, times=times, delay_s=delay_s)


def _is_list(request: Request) -> bool:
    return request.method == "GET" and LIST_PATH.search(request.path) is not None


def _error500(handle: Handle) -> Response:
    return Response(
        500,
        b'{"errors":["Something went wrong on our side."]}',
        {"Content-Type": "application/json; charset=utf-8"},
    )


def _error503(handle: Handle) -> Response:
    return html_response(503, "<html><body><h1>503 Service Unavailable</h1></body></html>")


def _server_error(handle: Handle) -> Response:
    return _error500(handle)


def _drop(handle: Handle) -> Response:
    return Response(0, ending=Ending.DROP)


def _drop_after(handle: Handle) -> Response:
    handle()
    return Response(0, ending=Ending.DROP)


def _hang(handle: Handle) -> Response:
    return replace(handle(), ending=Ending.STALL)


def _html(handle: Handle) -> Response:
    return html_response(200, "<!DOCTYPE html><html><body>Please sign in.</body></html>")


def _broken_json(handle: Handle) -> Response:
    response = handle()
    return replace(response, body=response.body[: max(1, len(response.body) * 2 // 3)])


def _empty(handle: Handle) -> Response:
    return replace(handle(), body=b"")


def _garbage(handle: Handle) -> Response:
    response = handle()
    try:
        value = json.loads(response.body)
    except ValueError:
        return response
    return replace(response, body=json.dumps(_twist(value)).encode())


def _twist(value: Any) -> Any:
    """The same shape with values of other types."""
    if isinstance(value, dict):
        return {name: _twist(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_twist(each) for each in value]
    if isinstance(value, str):
        return {"value": value}
    if value is None:
        return []
    return [str(value)]


def _huge(handle: Handle) -> Response:
    response = handle()
    return replace(response, body=response.body + b" " * HUGE_BYTES)


def _withdrawn(handle: Handle) -> Response:
    return html_response(404, "<!DOCTYPE html><html><body>We no longer offer this.</body></html>")


def _answer(handle: Handle) -> Response:
    return handle()


STRIKES: dict[str, Callable[[Handle], Response]] = {
    "error500": _error500,
    "error503": _error503,
    "slow": _answer,  # late, but whole
    "timeout": _drop,  # nothing is done, no answer comes
    "timeout_after": _drop_after,  # the request is carried out, no answer comes
    "drop": _drop,
    "drop_after": _drop_after,
    "hang": _hang,
    "html": _html,
    "broken_json": _broken_json,
    "empty": _empty,
    "garbage": _garbage,
    "huge": _huge,
    "withdrawn": _withdrawn,
}
# A client waits 30 s: these outlast it, but for `slow`.
DELAYS = {"slow": 2.0, "timeout": 40.0, "timeout_after": 40.0}
REFUSALS: dict[str, Callable[[Refusals], Response]] = {
    "ratelimit": lambda provider: provider.refuse_rate(7),
    "unauthorized": lambda provider: provider.refuse_key(),
    "not_found": lambda provider: provider.not_found(),
    NO_LIST: lambda provider: provider.not_found(),
}
NAMES = (*STRIKES, *REFUSALS)
