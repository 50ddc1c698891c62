"""Asking a provider whether it accepts credentials that are about to be saved."""

import logging

from django.conf import settings

from jobs.accounts import interactive
from providers.core.contract import Account, Provider
from providers.core.errors import ProviderError
from providers.core.types import Capability
from providers.http.client import HttpClient

logger = logging.getLogger(__name__)


def ask_provider(adapter_class: type[Provider], remote: Account) -> ProviderError | None:
    """None when the provider accepts the credentials, else what went wrong.

    Ends within ANSWER_S. There may be no account in the database yet, and so no rate limit.
    """
    if not adapter_class.supports(Capability.CHECK_CREDENTIALS):
        return ProviderError(f"{adapter_class.label} does not support checking credentials.")
    secrets = [value for value in remote.credentials.values() if isinstance(value, str)]
    try:
        with HttpClient(
            allow_private_addresses=settings.ALLOW_PRIVATE_ADDRESSES,
            deadline_s=interactive.ANSWER_S,
            secrets=secrets,
        ) as http:
            adapter = adapter_class(remote, http)
            interactive.Waiting(adapter_class.label).run(adapter.check_credentials)
    except ProviderError as error:
        return error
    except Exception:  # as in a sync: no answer may keep people from saving
        logger.exception("check of credentials failed")
        return ProviderError("Internal error; see the server log.")
    return None
