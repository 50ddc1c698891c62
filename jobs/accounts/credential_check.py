"""Asking a provider whether it accepts credentials, while a person waits for the answer."""

import logging
from concurrent.futures import Future
from threading import Thread

from django.conf import settings

from providers.core.contract import Account, Provider
from providers.core.errors import ProviderError, TimedOut
from providers.core.types import Capability
from providers.http.client import HttpClient

logger = logging.getLogger(__name__)

# In all: a form that is being saved should not seem to hang.
CHECK_S = 3.0


def ask_provider(adapter_class: type[Provider], remote: Account) -> ProviderError | None:
    """None when the provider accepts the credentials, else what stood in the way.

    Ends within CHECK_S, which no timeout of a socket can promise: looking a name up has none.
    """
    if not adapter_class.supports(Capability.CHECK_CREDENTIALS):
        return ProviderError(f"{adapter_class.label} offers no way to check credentials.")
    answer: Future[None] = Future()
    # a daemon, so that a lookup that hangs does not keep the process from ending
    Thread(target=_ask, args=(adapter_class, remote, answer), daemon=True).start()
    try:
        answer.result(CHECK_S)
    except ProviderError as error:
        return error
    except TimeoutError:
        return TimedOut(f"{adapter_class.label} did not answer within {CHECK_S:.0f} s.")
    return None


def _ask(adapter_class: type[Provider], remote: Account, answer: "Future[None]") -> None:
    secrets = [value for value in remote.credentials.values() if isinstance(value, str)]
    try:
        with HttpClient(
            allow_private_addresses=settings.ALLOW_PRIVATE_ADDRESSES,
            deadline_s=CHECK_S,
            secrets=secrets,
        ) as http:
            adapter_class(remote, http).check_credentials()
    except ProviderError as error:
        answer.set_exception(error)
    except Exception:  # as in a pass of syncing: no answer may keep people from saving
        logger.exception("check of credentials failed")
        answer.set_exception(ProviderError("Internal error; see the server log."))
    else:
        answer.set_result(None)
