"""Asking a provider while a person waits for the page: for 3 s at most, whatever the network does.

The question is asked in a thread beside the one that waits, since no timeout of a socket covers
all of it: looking up a host name has none. Only the thread that waits uses the database.
"""

import time
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from jobs.accounts.clients import open_with_budget
from jobs.models import ProviderAccount
from providers.core.contract import Provider
from providers.core.errors import TimedOut

# In all. A thread of the web server waits as well, and a page should not seem to hang.
ANSWER_S = 3.0

T = TypeVar("T")


def ask(account: ProviderAccount, question: Callable[[Provider], T]) -> T:
    """What `question` returns of the account's adapter. Raises ProviderError.

    `question` must not use the database. The account's limits hold as for any other request.
    """
    waiting = Waiting(account.provider_label)
    opened = open_with_budget(account, deadline_s=ANSWER_S, relay=waiting.relay)
    with opened as (adapter, _):
        return waiting.run(partial(question, adapter))


class Waiting:
    """A call in another thread, and what it has to have done in this one meanwhile."""

    def __init__(self, provider_label: str) -> None:
        self._label = provider_label
        self._messages: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()

    def relay(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function` for the call: the thread that waits carries it out."""

        def relayed(*args: Any) -> Any:
            done: Future[Any] = Future()
            self._messages.put((partial(function, *args), done))
            # the other may wait no longer
            return done.result(ANSWER_S)

        return relayed

    def run(self, call: Callable[[], T]) -> T:
        """What `call` returns or raises. Raises TimedOut after ANSWER_S."""
        outcome: Future[T] = Future()

        def work() -> None:
            _settle(outcome, call)
            self._messages.put((call, outcome))

        # a daemon, so that a lookup that hangs does not keep the process from ending
        Thread(target=work, daemon=True).start()
        ends_at = time.monotonic() + ANSWER_S
        try:
            while True:
                task, done = self._messages.get(timeout=max(ends_at - time.monotonic(), 0))
                if done is outcome:
                    return outcome.result()
                _settle(done, task)
        except (Empty, TimedOut):
            raise TimedOut(f"{self._label} did not respond within {ANSWER_S:g} s.") from None


def _settle(future: "Future[Any]", call: Callable[[], Any]) -> None:
    try:
        future.set_result(call())
    except Exception as error:
        future.set_exception(error)
