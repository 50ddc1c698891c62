"""An account's adapter, over an HTTP client that obeys the account's limits."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from django.conf import settings

from jobs.accounts.budget import Budget
from jobs.accounts.webhook_urls import job_webhook_url
from jobs.models import ProviderAccount
from jobs.workqueue.circuit_breaker import HostMonitor
from organizations.encryption import Undecryptable
from providers.core.contract import Provider
from providers.core.errors import AuthRefused
from providers.http.client import HttpClient


@contextmanager
def open_provider(
    account: ProviderAccount, *, deadline_s: float | None = None
) -> Iterator[Provider]:
    """The account's adapter over a client that obeys its limits; closed afterwards."""
    with open_with_budget(account, deadline_s=deadline_s) as (adapter, _):
        yield adapter


@contextmanager
def open_with_budget(
    account: ProviderAccount,
    *,
    deadline_s: float | None = None,
    is_patient: bool = False,
    relay: Callable[[Callable[..., Any]], Callable[..., Any]] = lambda function: function,
) -> Iterator[tuple[Provider, Budget]]:
    """As `open_provider`, with the budget, for callers that read in several threads.

    `is_patient`: a host that failed the last time may be as slow with its first answer as any.
    `relay` has what asks the database carried out by this thread, whichever thread calls it.
    """
    try:
        remote = replace(account.as_remote(), webhook_url=job_webhook_url(account))
    except Undecryptable as error:
        # as good as refused: nothing works until a person has put the key back
        raise AuthRefused(str(error)) from None
    budget = Budget(account)
    monitor = HostMonitor(account.host)
    with HttpClient(
        allow_private_addresses=settings.ALLOW_PRIVATE_ADDRESSES,
        reserve=relay(budget.reserve),
        deadline_s=deadline_s,
        first_answer_s=(lambda: None) if is_patient else relay(monitor.first_response_s),
        on_end=monitor.record,
        secrets=[value for value in remote.credentials.values() if isinstance(value, str)],
    ) as http:
        try:
            yield account.adapter_class(remote, http), budget
        finally:
            monitor.write()
