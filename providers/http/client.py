"""The one way out to a provider: bounded in time and size, redacted, counted."""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.cookiejar import DefaultCookiePolicy
from typing import Any, NamedTuple, Self

import requests
from urllib3.exceptions import HTTPError

from providers.core.errors import (
    AddressRefused,
    AnswersTooLarge,
    BadAnswer,
    ProviderError,
    Rejected,
    TimedOut,
)
from providers.http.answers import Answer, join_messages, read_error
from providers.http.bodies import SizeLimit, read_body, read_data
from providers.http.connections import BoundedAdapter
from providers.http.failures import explain_failure
from providers.http.redaction import REDACTED, has_marker, redact_url

logger = logging.getLogger(__name__)

# A healthy API accepts a connection in milliseconds; 3 s leaves room for two lost packets.
# 30 s is what a provider advises its own clients to wait for an answer.
CONNECT_S = 3.0
READ_S = 30.0

# A complete answer, however slowly it arrives: Celery's thread pool has no limits of its own.
ANSWER_S = 60.0

# An error that took longer to come than this holds its caller up like no answer at all.
SLOW_S = 15.0

Classify = Callable[[Answer], ProviderError | None]


class _Request(NamedTuple):
    """The arguments of `requests` that a call may set."""

    method: str
    url: str
    headers: Mapping[str, str] | None
    params: Mapping[str, str | int] | None
    json: Any
    data: Mapping[str, str] | None


class _TimeLimit(NamedTuple):
    """How long a call may take, and whether our deadline is what limits it, not the host."""

    seconds: float
    is_own_deadline: bool


class _Session(requests.Session):
    """Ignores redirects: asked not to follow one, requests still reads its body, unbounded."""

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class HttpClient:
    """Sends requests for one account; a few threads may share it.

    `reserve(bucket)` is called before each send and may raise `BudgetExhausted`. `deadline_s`
    counts from now and ends all sending and reading. `secrets` are literal values to keep out
    of every message. Raises only `ProviderError`. Nothing is sent twice, no redirect is
    followed, no cookie kept, no proxy or netrc of the environment used.

    `answer_s` is how long one complete answer may take, `max_bytes` how large it may be, else
    MAX_BYTES. `first_answer_s()` is asked before each call: how long it may take at a host that
    may be dead, None at any other. `on_end(is_answered)` is called after each call that left.

    `requests` counts what was sent, `latency_ms` is the last answer's, `rate_remaining` is
    what an adapter read from the last answer; both are None before.
    """

    def __init__(
        self,
        *,
        allow_private_addresses: bool,
        reserve: Callable[[str], None] | None = None,
        deadline_s: float | None = None,
        answer_s: float = ANSWER_S,
        first_answer_s: Callable[[], float | None] = lambda: None,
        on_end: Callable[[bool], None] = lambda is_answered: None,
        secrets: Iterable[str] = (),
        user_agent: str = "Reelboard",
        max_bytes: int | None = None,
    ) -> None:
        self.requests = 0
        self.latency_ms: int | None = None
        self.rate_remaining: int | None = None
        self._reserve = reserve
        self._ends_at = None if deadline_s is None else time.monotonic() + deadline_s
        self._answer_s = answer_s
        self._first_answer_s = first_answer_s
        self._on_end = on_end
        self._secrets = tuple(secrets)
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._shared_limit: SizeLimit | None = None
        self._session = _Session()
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._session.headers.update({"User-Agent": user_agent, "Accept": "application/json"})
        adapter = BoundedAdapter(allow_private_addresses=allow_private_addresses)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def close(self) -> None:
        self._session.close()

    @contextmanager
    def share_size_limit(self) -> Iterator[None]:
        """Within it all answers together may be as large as one: they are held at the same time.

        Those that are too much end in AnswersTooLarge.
        """
        self._shared_limit = SizeLimit(AnswersTooLarge, "responses together are")
        try:
            yield
        finally:
            self._shared_limit = None

    @property
    def time_left_s(self) -> float | None:
        """Seconds until the deadline, 0 when it is over; None without one."""
        return None if self._ends_at is None else max(self._ends_at - time.monotonic(), 0.0)

    @property
    def is_unproven(self) -> bool:
        """Whether the host may be dead, and has not answered this client yet."""
        return self._first_answer_s() is not None

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str | int] | None = None,
        json: Any = None,
        form: Mapping[str, str] | None = None,
        bucket: str = "default",
        classify: Classify | None = None,
        secrets: Iterable[str] = (),
        is_text: bool = False,
    ) -> Answer:
        """Send once and return the answer of a 2xx; raise the error that any other one is.

        `classify` may name the error first, where a provider uses a status in its own way; for
        None the standard meaning holds. Either way the error quotes the provider's message,
        without the client's `secrets` and these. A 2xx body is JSON or empty (then `data` is
        None), or any text where `is_text`.
        """
        call = f"{method} {redact_url(url)}"
        if has_marker([json, form]):
            # in the place of a secret that we no longer have, which no provider can use
            raise Rejected(
                f"{call} was not sent: {REDACTED} in it stands for a secret that is not stored."
            )
        if self._reserve is not None:
            self._reserve(bucket)
        limit = self._find_time_limit(call)
        with self._lock:
            self.requests += 1
        started = time.monotonic()
        request = _Request(method, url, headers, params, json, form)
        outcome = self._try(request, call, started, limit, is_text=is_text)
        took_s = time.monotonic() - started
        if isinstance(outcome, ProviderError):
            self._report_failure(outcome, took_s, limit)
            raise outcome
        self._on_end(outcome.is_success or took_s < SLOW_S)
        self.latency_ms = round(took_s * 1000)
        logger.debug("%s -> %d in %d ms", call, outcome.status, self.latency_ms)
        if outcome.is_success:
            return outcome
        secrets = (*self._secrets, *secrets)
        refusal = (classify and classify(outcome)) or read_error(outcome, call, secrets)
        raise refusal.quote(refusal.provider_message or join_messages(outcome.data), secrets)

    def _find_time_limit(self, call: str) -> _TimeLimit:
        """Find how long the next call may take. Raises TimedOut when the deadline is over."""
        left = self.time_left_s
        if left is not None and left <= 0:
            raise TimedOut(f"No time was left for {call}.", ambiguous=False)
        seconds = min(s for s in (self._answer_s, left, self._first_answer_s()) if s is not None)
        return _TimeLimit(seconds, is_own_deadline=seconds == left)

    def _try(
        self, request: _Request, call: str, started: float, limit: _TimeLimit, *, is_text: bool
    ) -> Answer | ProviderError:
        """Send once. A failure is returned, so that it can be raised without a context: that is
        the original, which quotes URLs and headers with their secrets.
        """
        try:
            return self._exchange(request, started + limit.seconds, is_text=is_text)
        except ProviderError as error:
            return error
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
            timed_out = time.monotonic() - started >= min(READ_S, limit.seconds)
            return explain_failure(error, call, timed_out=timed_out)

    def _report_failure(self, failure: ProviderError, took_s: float, limit: _TimeLimit) -> None:
        """Report how a call ended, unless it says nothing about the host."""
        never_left = isinstance(failure, Rejected | AddressRefused)
        own_deadline = isinstance(failure, TimedOut) and limit.is_own_deadline
        if not (never_left or own_deadline):
            self._on_end(isinstance(failure, BadAnswer) and took_s < SLOW_S)

    def _exchange(self, request: _Request, ends_at: float, *, is_text: bool) -> Answer:
        within_s = ends_at - time.monotonic()
        with self._session.request(
            **request._asdict(),
            timeout=(min(CONNECT_S, within_s), min(READ_S, within_s)),
            allow_redirects=False,
            stream=True,
        ) as response:
            limit = self._shared_limit or SizeLimit(BadAnswer, "response is", self._max_bytes)
            text = read_body(response, ends_at, limit)
            lower = {name.lower(): value for name, value in response.headers.items()}
            data = None if is_text else read_data(response, text)
            return Answer(response.status_code, lower, text, data)
