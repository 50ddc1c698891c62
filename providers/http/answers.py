"""What an HTTP answer means: its JSON, the wait it asks for, and the error that it is."""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from providers.core.errors import (
    AuthRefused,
    BadAnswer,
    Conflict,
    NotFound,
    Outage,
    ProviderError,
    RateLimited,
    Rejected,
    TimedOut,
)
from providers.http.redaction import CUT, MAX_DEPTH
from providers.parsing.text import make_storable
from providers.parsing.values import read_dict

# A wait beyond this is a mistake at the other end, and would silence an account for a day.
MAX_WAIT_S = 3600.0

# What an error keeps of an answer: a person reads the first few.
MAX_SENTENCES = 20

# Five objects within lists of objects; what is further down is no sentence about the request.
MAX_NESTING = 10

_MESSAGE_KEYS = ("errors", "error", "error_message", "message", "detail", "error_description")

_CONFLICT = 409
_TOO_MANY_REQUESTS = 429
_PAYMENT_REQUIRED = 402
_TIMEOUTS = frozenset({408, 504})
_GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer. `headers` have lower-case names; `data` is None when there is no JSON."""

    status: int
    headers: Mapping[str, str]
    text: str = ""
    data: Any = None

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def wait_s(self) -> float | None:
        return read_wait(self.headers.get("retry-after"))


def read_wait(value: str | None, now: datetime | None = None) -> float | None:
    """Read a Retry-After (seconds or an HTTP date) as seconds from `now`, clamped to an hour."""
    if value is None:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            moment = parsedate_to_datetime(value)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=UTC)
            seconds = (moment - (now or datetime.now(UTC))).total_seconds()
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
    return None if math.isnan(seconds) else min(max(seconds, 0.0), MAX_WAIT_S)


def read_json(text: str) -> Any:
    """Parse `text` into values that can be stored and traversed: finite, shallow, storable text.

    NaN and infinities become None, and what is nested deeper than MAX_DEPTH becomes CUT: one deep
    job must not make a page unreadable. Raises ValueError for anything that is not JSON.
    """
    try:
        data = json.loads(text, parse_constant=lambda _: None, parse_float=_read_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    return _clean(data, MAX_DEPTH)


def _read_finite(digits: str) -> float | None:
    number = float(digits)
    return number if math.isfinite(number) else None


def _clean(value: Any, depth: int) -> Any:
    if depth < 0 and isinstance(value, list | dict):
        return CUT
    if isinstance(value, str):
        return make_storable(value)
    if isinstance(value, list):
        return [_clean(item, depth - 1) for item in value]
    if isinstance(value, dict):
        return {make_storable(key): _clean(item, depth - 1) for key, item in value.items()}
    return value


def read_messages(data: Any) -> tuple[list[str], dict[str, list[str]]]:
    """Find the sentences of an error body, each once, and those of a field of the request.

    Copes with `{"errors": [...] | "text" | {field: [...]}}`, `{"error": "text" | {...}}`,
    `message`, `detail`, and a bare `{field: ["text"]}`.
    """
    body = read_dict(data)
    fields: dict[str, list[str]] = {}
    for key, value in {**body, **read_dict(body.get("errors"))}.items():
        if isinstance(value, list) and key != "errors" and (sentences := _read_sentences(value)):
            fields[key] = sentences
        if len(fields) == MAX_SENTENCES:
            break
    return _read_sentences(body), fields


def join_messages(data: Any) -> str:
    """Join what an error body says, a bare `["text"]` or `"text"` too; empty if it says nothing."""
    return "; ".join(read_messages(data if isinstance(data, dict) else {"errors": data})[0])


def _read_sentences(value: Any, nesting: int = 0) -> list[str]:
    """Read each value below once: what is read twice on each level never ends.

    A sentence that is there again is left out, so that it takes no other one's place.
    """
    sentences: list[str] = []
    if isinstance(value, str):
        sentences = [value.strip()] if value.strip() else []
    elif nesting == MAX_NESTING:
        return []
    elif isinstance(value, list):
        for item in value[:MAX_SENTENCES]:
            sentences += _read_sentences(item, nesting + 1)
    elif isinstance(value, dict):
        for key in _MESSAGE_KEYS:
            sentences += _read_sentences(value.get(key), nesting + 1)
        if not sentences:
            sentences = [
                f"{key}: {text}"
                for key, item in value.items()
                if isinstance(item, list) and key not in _MESSAGE_KEYS
                for text in _read_sentences(item, nesting + 1)
            ]
    return list(dict.fromkeys(sentences))[:MAX_SENTENCES]


def error_by_status(
    kind: type[ProviderError], sentences: Mapping[int, str]
) -> Callable[[Answer], ProviderError | None]:
    """Make a reader by which answers with these statuses are errors of one kind."""

    def read(answer: Answer) -> ProviderError | None:
        sentence = sentences.get(answer.status)
        return None if sentence is None else kind(sentence, code=str(answer.status))

    return read


def read_error(answer: Answer, call: str, secrets: Iterable[str] = ()) -> ProviderError:
    """Make the error that an answer outside of 2xx is, by the standard meaning of its status.

    `call` names the request for a reader, e.g. `GET app.example.com/jobs`.
    """
    status = answer.status
    details: dict[str, Any] = {"code": str(status), "secrets": tuple(secrets)}
    messages, fields = read_messages(answer.data)
    message = "; ".join(messages)
    if meaning := _find_meaning(status):
        sentence = meaning.sentence.format(call=call, status=status)
        if issubclass(meaning.error, RateLimited | TimedOut | Outage):
            details["wait_s"] = answer.wait_s
        return meaning.error(f"{sentence}: {message}" if message else f"{sentence}.", **details)
    if 400 <= status < 500:
        return Rejected(
            message or f"The provider rejected {call} ({status}).",
            messages=messages,
            fields=fields,
            error_class="quota.plan" if status == _PAYMENT_REQUIRED else None,
            **details,
        )
    return BadAnswer(
        f"The provider answered {call} with {status}, a redirect or an interim response. "
        "Check the base URL and its version.",
        transient=False,
        **details,
    )


class _Meaning(NamedTuple):
    """What a status says of any call. The provider's own message follows the sentence."""

    error: type[ProviderError]
    sentence: str


def _find_meaning(status: int) -> _Meaning | None:
    if status in {401, 403}:
        return _Meaning(AuthRefused, "The provider refused the credentials for {call} ({status})")
    if status in _GONE:
        return _Meaning(NotFound, "The provider found nothing at {call} ({status})")
    if status == _CONFLICT:
        return _Meaning(Conflict, "The provider refused {call} ({status})")
    if status == _TOO_MANY_REQUESTS:
        return _Meaning(RateLimited, "The provider's rate limit is reached")
    if status in _TIMEOUTS:
        return _Meaning(TimedOut, "The provider timed out on {call} ({status})")
    if status >= 500:
        return _Meaning(Outage, "The provider failed on {call} ({status})")
    return None
