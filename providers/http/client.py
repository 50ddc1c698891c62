"""The one way out to a provider: bounded in time and size, redacted, counted."""

import logging
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Self

import requests
from requests import exceptions as failures
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    MaxRetryError,
    NewConnectionError,
    ReadTimeoutError,
)

from providers.core.errors import (
    AddressRefused,
    AnswersTooLarge,
    BadAnswer,
    ProviderError,
    Rejected,
    TimedOut,
    Unreachable,
)
from providers.http.answers import Answer, join_messages, read_error, read_json
from providers.http.connections import BoundedAdapter
from providers.http.redaction import REDACTED, has_marker, redact_url

logger = logging.getLogger(__name__)

# A healthy API accepts a connection in milliseconds; 3 s leaves room for two lost packets.
# 30 s is what a provider advises its own clients to wait for an answer.
CONNECT_S = 3.0
READ_S = 30.0

# A complete answer, however slowly it arrives: Celery's thread pool has no limits of its own.
ANSWER_S = 60.0

# A page of 50 jobs with 20 outputs each is about 2 MB.
MAX_BYTES = 20_000_000
CHUNK_BYTES = 65_536

_NO_CONTENT = 204

# An error that took longer to come than this holds its caller up like no answer at all.
SLOW_S = 15.0

Classify = Callable[[Answer], ProviderError | None]


class _SizeLimit:
    """How much may be read yet: of one answer, or of several that are held at the same time."""

    def __init__(self, error: type[BadAnswer], whose: str) -> None:
        self._left = MAX_BYTES
        self._error = error
        self._whose = whose
        self._lock = threading.Lock()

    def take(self, size: int) -> None:
        with self._lock:
            self._left -= size
            if self._left >= 0:
                return
        raise self._error(
            f"The provider's {self._whose} larger than {MAX_BYTES // 1_000_000} MB.",
            ambiguous=True,
        )

    def give_back(self, size: int) -> None:
        with self._lock:
            self._left += size


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

    `first_answer_s()` is asked before each call: how long it may take at a host that may be dead,
    None at any other. `on_end(is_answered)` is called after each call that left.

    `requests` counts what was sent, `latency_ms` is the last answer's, `rate_remaining` is
    what an adapter read from the last answer; both are None before.
    """

    def __init__(
        self,
        *,
        allow_private_addresses: bool,
        reserve: Callable[[str], None] | None = None,
        deadline_s: float | None = None,
        first_answer_s: Callable[[], float | None] = lambda: None,
        on_end: Callable[[bool], None] = lambda is_answered: None,
        secrets: Iterable[str] = (),
        user_agent: str = "Reelboard",
    ) -> None:
        self.requests = 0
        self.latency_ms: int | None = None
        self.rate_remaining: int | None = None
        self._reserve = reserve
        self._ends_at = None if deadline_s is None else time.monotonic() + deadline_s
        self._first_answer_s = first_answer_s
        self._on_end = on_end
        self._secrets = tuple(secrets)
        self._lock = threading.Lock()
        self._shared_limit: _SizeLimit | None = None
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
        self._shared_limit = _SizeLimit(AnswersTooLarge, "answers together are")
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
    ) -> Answer:
        """Send once and return the answer of a 2xx; raise the error that any other one is.

        `classify` may name the error first, where a provider uses a status in its own way; for
        None the standard meaning holds. Either way the error quotes the provider's message,
        without the client's `secrets` and these. A 2xx body is JSON or empty (then `data` is None).
        """
        call = f"{method} {redact_url(url)}"
        if has_marker([json, form]):
            # in the place of a secret that we no longer have, which no provider can use
            raise Rejected(
                f"{call} was not sent: {REDACTED} in it replaces a secret that is not known here."
            )
        if self._reserve is not None:
            self._reserve(bucket)
        left = self.time_left_s
        if left is not None and left <= 0:
            raise TimedOut(f"No time was left for {call}.", ambiguous=False)
        within_s = min(s for s in (ANSWER_S, left, self._first_answer_s()) if s is not None)
        with self._lock:
            self.requests += 1
        started = time.monotonic()
        failure: ProviderError | None = None
        try:
            answer = self._exchange(method, url, headers, params, json, form, started + within_s)
        except ProviderError as error:
            failure = error
        except (requests.RequestException, HTTPError, OSError, UnicodeError) as error:
            timed_out = time.monotonic() - started >= min(READ_S, within_s)
            failure = _explain(error, call, timed_out=timed_out)
        took_s = time.monotonic() - started
        if failure is not None:
            never_left = isinstance(failure, Rejected | AddressRefused)
            own_deadline = isinstance(failure, TimedOut) and within_s == left
            if not (never_left or own_deadline):
                self._on_end(isinstance(failure, BadAnswer) and took_s < SLOW_S)
            # Raised out here, so that the original, which quotes URLs and headers with their
            # secrets, is not its context.
            raise failure
        self._on_end(answer.is_success or took_s < SLOW_S)
        self.latency_ms = round(took_s * 1000)
        logger.debug("%s -> %d in %d ms", call, answer.status, self.latency_ms)
        if answer.is_success:
            return answer
        secrets = (*self._secrets, *secrets)
        refusal = (classify and classify(answer)) or read_error(answer, call, secrets)
        raise refusal.quote(refusal.provider_message or join_messages(answer.data), secrets)

    def _exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None,
        params: Mapping[str, str | int] | None,
        json: Any,
        form: Mapping[str, str] | None,
        ends_at: float,
    ) -> Answer:
        within_s = ends_at - time.monotonic()
        with self._session.request(
            method,
            url,
            headers=headers,
            params=params,
            json=json,
            data=form,
            timeout=(min(CONNECT_S, within_s), min(READ_S, within_s)),
            allow_redirects=False,
            stream=True,
        ) as response:
            limit = self._shared_limit or _SizeLimit(BadAnswer, "answer is")
            text = _read_body(response, ends_at, limit)
            lower = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, lower, text, _read_data(response, text))


def _cut_off(response: requests.Response) -> None:
    with suppress(ValueError):  # it came over no socket, and cannot be cut
        response.raw.shutdown()


def _read_body(response: requests.Response, ends_at: float, limit: _SizeLimit) -> str:
    """Read piece by piece as they come, so that neither size nor slowness goes unnoticed."""
    if response.status_code == _NO_CONTENT:
        return ""  # a space after it has been seen, which is no body
    # Chunk sizes, trailers and the like yield no piece, so one call may read them for ever.
    watchdog = threading.Timer(ends_at - time.monotonic(), _cut_off, [response])
    watchdog.daemon = True
    watchdog.start()
    body = bytearray()
    try:
        while piece := response.raw.read1(CHUNK_BYTES, decode_content=True):
            body += piece
            limit.take(len(piece))
            if time.monotonic() >= ends_at:
                break
    except BaseException:
        limit.give_back(len(body))
        raise
    finally:
        watchdog.cancel()
    if time.monotonic() >= ends_at:  # also when the cut looked like the end
        raise TimedOut("The provider's answer did not end in time.")
    return body.decode("utf-8-sig", "replace")


def _read_data(response: requests.Response, text: str) -> Any:
    """Parse a body. What is no JSON is fatal only where one was promised, with a 2xx."""
    if not text.strip():
        return None
    kind = response.headers.get("Content-Type", "application/json").partition(";")[0].strip()
    try:
        if "json" not in kind.lower():
            raise ValueError(f"it is {kind}")
        return read_json(text)
    except ValueError as error:
        if not 200 <= response.status_code < 300:
            return None
        is_json = "json" in kind.lower()
        reason = "it is not valid JSON" if is_json else str(error)
    # the kind as the code: some providers' web pages mean more than a bad day
    raise BadAnswer(
        f"The provider's answer could not be read: {reason}.",
        code="" if is_json else kind.lower(),
        ambiguous=True,
    )


def _explain(error: Exception, call: str, *, timed_out: bool) -> ProviderError:
    """Say what went wrong below HTTP: the messages of libraries quote URLs and headers.

    Ambiguous is whatever may have happened after the request was sent.
    """
    reason: object = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(error, ValueError | failures.InvalidJSONError):
        return Rejected(
            f"{call} cannot be sent: the URL, a credential or the body holds what HTTP or "
            "JSON does not allow."
        )
    if isinstance(error, failures.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return Unreachable(f"No connection could be made for {call}.")
    if isinstance(error, failures.SSLError) and _is_certificate_refusal(error):
        return Unreachable(f"The certificate of the server is not valid for {call}.")
    if timed_out or isinstance(error, failures.Timeout | ReadTimeoutError):
        return TimedOut(f"No answer came in time to {call}.")
    if isinstance(error, DecodeError):
        return BadAnswer(f"The answer to {call} is not compressed as it says.", ambiguous=True)
    return Unreachable(f"The connection was lost during {call}.", ambiguous=True)


def _is_certificate_refusal(error: BaseException) -> bool:
    seen: list[object] = [error]
    for item in seen:
        if isinstance(item, ssl.SSLCertVerificationError):
            return True
        if isinstance(item, BaseException) and len(seen) < 20:
            seen += [*item.args, getattr(item, "reason", None)]
    return False
