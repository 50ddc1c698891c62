"""What can go wrong: the closed classes of faults, and the exceptions adapters raise.

A class says what a fault is about, whoever the provider is: jobs, pages, alerts and filters
know these names only. The exceptions are what one call to a provider ends in::

    ProviderError
     ├── AuthRefused        401, 403: the credentials are not accepted for this
     ├── RateLimited        the provider's limit; `wait_s` when it says how long
     ├── BudgetExhausted    our own rate budget is used up: nothing was sent
     ├── NotFound           404, 410
     ├── Conflict           409: the state of the job forbids it
     ├── Rejected           other 4xx: the request is wrong; `messages`, `fields`
     ├── Outage             5xx
     ├── TimedOut           no complete answer in time
     ├── Unreachable        no connection, or it was lost
     ├── BadAnswer          not JSON, the wrong shape, too large, a redirect
     │   └── AnswersTooLarge    too large beside the others that are read now
     ├── Withdrawn          the provider or this version of its API is gone
     │   └── NotFoundOrWithdrawn    a job is not found, and nothing else is
     ├── AddressRefused     the host is at a private address: nothing was sent
     └── WebhookRefused     a delivery that is not authentic or not readable
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Literal, Self

from providers.http.redaction import redact_text
from providers.parsing.text import make_one_line

Fixer = Literal["you", "owner", "provider"]

# An error page of a proxy can be long; a sentence is not.
MESSAGE_LENGTH = 500

# Providers' codes are short; the content type of an answer that is not JSON can be anything.
CODE_LENGTH = 200


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """One class of faults.

    `title` is what people read in lists; `name` is the code for filters and the API.
    `fixer`: you (who submitted the job or keeps the account), the owner of the source, or the
    provider. `is_transient`: it goes away by itself. `retry_helps`: the same request may end
    differently now, or once what `hint` says is done outside of it.
    """

    name: str
    title: str
    sentence: str
    fixer: Fixer
    is_transient: bool
    hint: str
    retry_helps: bool


_CATALOGUE = (
    ErrorClass(
        "input.not_found",
        "Source not found",
        "The source file was not found at its URL.",
        "owner",
        is_transient=False,
        hint="Check the URL and that the file is still there, then retry.",
        retry_helps=True,
    ),
    ErrorClass(
        "input.access_denied",
        "Source access denied",
        "The provider was not allowed to read the source file.",
        "owner",
        is_transient=False,
        hint="Grant the provider read access, or renew a signed link, then retry.",
        retry_helps=True,
    ),
    ErrorClass(
        "input.timeout",
        "Source server too slow",
        "The server that holds the source file was too slow or did not respond.",
        "owner",
        is_transient=True,
        hint="Retry. If it happens again, move the source to faster storage.",
        retry_helps=True,
    ),
    ErrorClass(
        "input.corrupt",
        "Source damaged",
        "The source file is damaged or incomplete.",
        "owner",
        is_transient=False,
        hint="Check that the file plays, replace it with a complete copy and submit that.",
        retry_helps=False,
    ),
    ErrorClass(
        "input.unsupported",
        "Source not supported",
        "The provider cannot decode this kind of source file.",
        "owner",
        is_transient=False,
        hint="Convert the source to a common codec without copy protection, and submit that.",
        retry_helps=False,
    ),
    ErrorClass(
        "input.no_media",
        "No video or audio",
        "The source file contains no video or audio.",
        "owner",
        is_transient=False,
        hint="Check that the URL leads to the file itself, not to a web page about it.",
        retry_helps=False,
    ),
    ErrorClass(
        "settings.invalid",
        "Settings not valid",
        "The settings of the job are not valid for this source or this provider.",
        "you",
        is_transient=False,
        hint="Change the setting named in the message, then submit again.",
        retry_helps=False,
    ),
    ErrorClass(
        "encode.failed",
        "Encoder failed",
        "The encoder failed on this file.",
        "provider",
        is_transient=False,
        hint="Retry once. If it fails again, contact the provider with the job's id.",
        retry_helps=True,
    ),
    ErrorClass(
        "output.access_denied",
        "Destination access denied",
        "The provider was not allowed to write to the destination.",
        "you",
        is_transient=False,
        hint="Check the destination's credentials and write permission, then retry.",
        retry_helps=True,
    ),
    ErrorClass(
        "output.not_found",
        "Destination not found",
        "The destination does not exist or cannot be reached.",
        "you",
        is_transient=False,
        hint="Check the bucket or host name, and that it accepts the provider; then retry.",
        retry_helps=True,
    ),
    ErrorClass(
        "output.failed",
        "Delivery failed",
        "The output was encoded but could not be delivered to the destination.",
        "you",
        is_transient=True,
        hint="Check the free space and the state of the destination, then retry.",
        retry_helps=True,
    ),
    ErrorClass(
        "quota.rate",
        "Too many requests",
        "Too many requests in a short time.",
        "you",
        is_transient=True,
        hint="Requests resume automatically. If it keeps happening, lower the account's limit.",
        retry_helps=True,
    ),
    ErrorClass(
        "quota.plan",
        "Not in the plan",
        "The account's plan does not allow it.",
        "you",
        is_transient=False,
        hint="Check the plan, usage and billing in the provider's console.",
        retry_helps=True,
    ),
    ErrorClass(
        "auth.refused",
        "Credentials refused",
        "The provider refused the credentials of the account.",
        "you",
        is_transient=False,
        hint="Enter a valid key with the required permissions on the account's page.",
        retry_helps=True,
    ),
    ErrorClass(
        "provider.outage",
        "Provider outage",
        "The provider has an outage or cannot be reached.",
        "provider",
        is_transient=True,
        hint="Requests are retried automatically. If it lasts, check the provider's status page.",
        retry_helps=True,
    ),
    ErrorClass(
        "provider.timeout",
        "Provider timeout",
        "The provider did not finish in time.",
        "provider",
        is_transient=True,
        hint="Retry. If it happens again, contact the provider with the job's id.",
        retry_helps=True,
    ),
    ErrorClass(
        "provider.withdrawn",
        "Service withdrawn",
        "The provider no longer offers this service.",
        "provider",
        is_transient=False,
        hint="Check the base URL in the provider's documentation, or use another provider.",
        retry_helps=False,
    ),
    ErrorClass(
        "unknown",
        "Reason not reported",
        "The provider gave no reason.",
        "provider",
        is_transient=False,
        hint="Read the provider's message, if there is one, and check its console.",
        retry_helps=True,
    ),
)

CLASSES: Mapping[str, ErrorClass] = {known.name: known for known in _CATALOGUE}


def classify(
    code: str, message: str, codes: Mapping[str, str], patterns: Iterable[tuple[str, str]]
) -> str:
    """Find the class of a fault: by its exact code, else by the first pattern in its message."""
    if code in codes:
        return codes[code]
    return next(
        (name for pattern, name in patterns if re.search(pattern, message, re.IGNORECASE)),
        "unknown",
    )


def _read_message(text: str, secrets: Iterable[str]) -> str:
    """A provider's message without secrets and control characters, on one line."""
    return make_one_line(redact_text(text, secrets))[:MESSAGE_LENGTH]


class ProviderError(Exception):
    """A call to a provider that did not end well; `str()` is a sentence free of secrets.

    `error_class` is a name in CLASSES, `code` the provider's own (an HTTP status, too).
    `transient`: the same call may succeed later. `ambiguous`: the provider may have carried
    the request out although we have no answer. `wait_s`: not to be tried again before, where
    known. `provider_message`: what the provider itself says about it, if anything.
    """

    error_class: str = "unknown"
    transient: bool = False
    ambiguous: bool = False
    provider_message: str = ""

    def __init__(
        self,
        message: str,
        *,
        error_class: str | None = None,
        code: str = "",
        transient: bool | None = None,
        ambiguous: bool | None = None,
        wait_s: float | None = None,
        secrets: Iterable[str] = (),
    ) -> None:
        super().__init__(_read_message(message, secrets))
        if error_class is not None:
            self.error_class = error_class
        if transient is not None:
            self.transient = transient
        if ambiguous is not None:
            self.ambiguous = ambiguous
        self.code = _read_message(code, secrets)[:CODE_LENGTH]
        self.wait_s = wait_s

    @property
    def message(self) -> str:
        return str(self)

    def quote(self, provider_message: str, secrets: Iterable[str] = ()) -> Self:
        """Add what the provider says to the message, unless it is in there already."""
        secrets = tuple(secrets)
        self.provider_message = _read_message(provider_message, secrets)
        message = _read_message(str(self), secrets)
        if self.provider_message.rstrip(".") not in message:
            quoted = f"{message} The provider says: {self.provider_message}"
            message = _read_message(quoted, secrets)
        self.args = (message,)
        return self


@contextmanager
def unambiguous() -> Iterator[None]:
    """What fails in here, before a job is sent, leaves no doubt whether the job exists."""
    try:
        yield
    except ProviderError as error:
        error.ambiguous = False
        raise


class AuthRefused(ProviderError):
    error_class = "auth.refused"


class RateLimited(ProviderError):
    error_class = "quota.rate"
    transient = True


class BudgetExhausted(ProviderError):
    error_class = "quota.rate"
    transient = True


class NotFound(ProviderError):
    pass


class Conflict(ProviderError):
    pass


class Rejected(ProviderError):
    """`messages` are the provider's sentences, `fields` those it tied to a field of the body."""

    error_class = "settings.invalid"

    def __init__(
        self,
        message: str,
        *,
        messages: Iterable[str] = (),
        fields: Mapping[str, Iterable[str]] | None = None,
        error_class: str | None = None,
        code: str = "",
        secrets: Iterable[str] = (),
    ) -> None:
        secrets = tuple(secrets)
        super().__init__(message, error_class=error_class, code=code, secrets=secrets)
        self.messages = [_read_message(text, secrets) for text in messages]
        self.fields = {
            name: [_read_message(text, secrets) for text in texts]
            for name, texts in (fields or {}).items()
        }


class Outage(ProviderError):
    error_class = "provider.outage"
    transient = True
    ambiguous = True


class TimedOut(ProviderError):
    error_class = "provider.timeout"
    transient = True
    ambiguous = True


class Unreachable(ProviderError):
    """Not ambiguous by default: no connection, no request. A lost connection says otherwise."""

    error_class = "provider.outage"
    transient = True


class BadAnswer(ProviderError):
    error_class = "provider.outage"
    transient = True


class AnswersTooLarge(BadAnswer):
    """Too large together with the answers that were read at the same time."""


class Withdrawn(ProviderError):
    error_class = "provider.withdrawn"


class NotFoundOrWithdrawn(Withdrawn):
    """A job is not found, and nothing else is: it may be the service that no longer exists."""


class AddressRefused(ProviderError):
    error_class = "settings.invalid"


class WebhookRefused(ProviderError):
    error_class = "auth.refused"
