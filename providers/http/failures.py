"""What went wrong below HTTP."""

import ssl

from requests import exceptions as failures
from urllib3.exceptions import DecodeError, MaxRetryError, NewConnectionError, ReadTimeoutError

from providers.core.errors import BadAnswer, ProviderError, Rejected, TimedOut, Unreachable


def explain_failure(error: Exception, call: str, *, timed_out: bool) -> ProviderError:
    """Say what went wrong below HTTP: the messages of libraries quote URLs and headers.

    Ambiguous is whatever may have happened after the request was sent.
    """
    reason: object = error.args[0] if error.args else None
    if isinstance(reason, MaxRetryError):
        reason = reason.reason
    if isinstance(error, ValueError | failures.InvalidJSONError):
        return Rejected(
            f"{call} cannot be sent: the URL, a credential or the body contains something "
            "that HTTP or JSON does not allow."
        )
    if isinstance(error, failures.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return Unreachable(f"No connection could be made for {call}.")
    if isinstance(error, failures.SSLError) and _is_certificate_refusal(error):
        return Unreachable(f"The certificate of the server is not valid for {call}.")
    if timed_out or isinstance(error, failures.Timeout | ReadTimeoutError):
        return TimedOut(f"No response to {call} arrived in time.")
    if isinstance(error, DecodeError):
        return BadAnswer(f"The response to {call} could not be decompressed.", ambiguous=True)
    return Unreachable(f"The connection was lost during {call}.", ambiguous=True)


def _is_certificate_refusal(error: BaseException) -> bool:
    seen: list[object] = [error]
    for item in seen:
        if isinstance(item, ssl.SSLCertVerificationError):
            return True
        if isinstance(item, BaseException) and len(seen) < 20:
            seen += [*item.args, getattr(item, "reason", None)]
    return False
