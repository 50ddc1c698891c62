"""Letting background work in at a provider's host: a free thread, and a host that responds."""

from collections.abc import Iterator
from contextlib import contextmanager

from jobs.workqueue.circuit_breaker import (
    PAUSE,
    WAITING,
    begin_probe,
    end_probe,
    find_host,
    first_response_s,
)
from jobs.workqueue.slots import SLOTS, Work
from providers.core.contract import Provider
from providers.core.errors import BudgetExhausted, ProviderError
from providers.core.types import Capability


class NotAdmitted(BudgetExhausted):
    """Not now, and no failure: the work is due again after `wait_s`."""


@contextmanager
def admit(host: str, work: Work, *, is_unreliable: bool = False) -> Iterator[None]:
    """Hold a thread of this worker for work at `host`, or raise NotAdmitted.

    `is_unreliable`: of an account that counts into the small share although its host responds.
    """
    limit_s = first_response_s(find_host(host))
    is_unreliable = is_unreliable or limit_s is not None
    with SLOTS.hold(host, work, is_unreliable=is_unreliable) as has_slot:
        if not has_slot:
            raise NotAdmitted("Waiting for a free worker.", wait_s=1)
        if limit_s is None:
            yield
            return
        lease = begin_probe(host, limit_s)
        if lease is None:
            raise NotAdmitted(WAITING, wait_s=PAUSE.first_s)
        try:
            yield
        finally:
            end_probe(host, lease)


def probe_first(adapter: Provider) -> None:
    """Send a small read to an unhealthy host, before something that must not be lost.

    Raises NotAdmitted where it does not respond.
    """
    if not adapter.http.is_unproven:
        return
    try:
        if adapter.supports(Capability.CHECK_CREDENTIALS):
            adapter.check_credentials()
        else:
            next(adapter.list_jobs(), None)
    except BudgetExhausted:
        raise  # nothing was sent
    except ProviderError as error:
        if error.transient and adapter.http.is_unproven:
            raise NotAdmitted(WAITING, wait_s=PAUSE.first_s) from error
        # it responds, or never will: the request itself shows what is wrong
