"""Integration mode: all new jobs of an account at the provider become test jobs."""

from jobs.accounts.interactive import ask
from jobs.models import ProviderAccount
from organizations.models import ApiToken, AuditEntry, User
from providers.core.errors import ProviderError
from providers.core.types import Capability


class ModeUnsupported(Exception):
    """The provider has no such mode; the message is a sentence."""


def read_integration_mode(account: ProviderAccount) -> bool | None:
    """Whether it is on, as the provider says now; None where it does not say.

    Raises ProviderError.
    """
    return ask(account, lambda adapter: adapter.usage()).is_test_mode


def switch_integration_mode(
    account: ProviderAccount,
    is_on: bool,
    *,
    user: User | None = None,
    token: ApiToken | None = None,
) -> None:
    """Switch it at the provider. Raises ModeUnsupported and ProviderError.

    After an error that leaves open whether it was carried out, the audit log says so.
    """
    if not account.adapter_class.supports(Capability.INTEGRATION_MODE):
        raise ModeUnsupported(f"{account.provider_label} has no integration mode.")
    try:
        ask(account, lambda adapter: adapter.switch_integration_mode(is_on))
    except ProviderError as error:
        if error.ambiguous:
            _record(account, is_on, user, token, is_confirmed=False)
        raise
    _record(account, is_on, user, token, is_confirmed=True)


def _record(
    account: ProviderAccount,
    is_on: bool,
    user: User | None,
    token: ApiToken | None,
    *,
    is_confirmed: bool,
) -> None:
    AuditEntry.record(
        account.organization,
        "account.integration_mode_switched",
        account,
        actor=user,
        token=token,
        details={"mode": "on" if is_on else "off", "confirmed": is_confirmed},
    )
