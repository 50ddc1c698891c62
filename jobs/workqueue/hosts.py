"""The way in to a provider's host for work in the background, and what its calls show of it.

Work for a host that answers finds a free thread. A host that did not answer the last time, or was
never asked, is tried by one short call at a time, and what waits for it waits in the database.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.db.models import Q
from django.utils import timezone

from jobs.models import (
    Job,
    JobAction,
    ProviderAccount,
    ProviderHost,
    Submission,
    SubmissionState,
)
from jobs.models.host import PAUSE_S
from jobs.models.submission import OPEN_STATES
from jobs.workqueue.reconnect import CUT, restore_connection
from jobs.workqueue.seats import SEATS, Work
from providers.core.contract import Provider
from providers.core.errors import BudgetExhausted, ProviderError
from providers.core.types import Capability

log = structlog.get_logger(__name__)

WAITING = "Waiting: the provider does not answer."
# Error classes of calls that had no answer.
SILENCE = ("provider.timeout", "provider.outage")


class NotAdmitted(BudgetExhausted):
    """Not now, and no failure: the work is due again after `wait_s`."""


@contextmanager
def admit(host: str, work: Work, *, is_doubtful: bool = False) -> Iterator[None]:
    """Hold a thread of this worker for work at `host`, or raise NotAdmitted.

    `is_doubtful`: of an account that counts into the small share although its host answers.
    """
    limit_s = ProviderHost.get_or_untried(host).first_answer_s
    with SEATS.hold(host, work, is_doubtful=is_doubtful or limit_s is not None) as has_seat:
        if not has_seat:
            raise NotAdmitted("Waiting for a free worker.", wait_s=1)
        if limit_s is None:
            yield
            return
        lease = ProviderHost.begin_trial(host, timezone.now(), limit_s)
        if lease is None:
            raise NotAdmitted(WAITING, wait_s=PAUSE_S)
        try:
            yield
        finally:
            ProviderHost.end_trial(host, lease)


def ask_first(adapter: Provider) -> None:
    """Before something is sent that must not be lost: have a doubtful host answer a small read.

    Raises NotAdmitted where it does not.
    """
    if not adapter.http.is_unproven:
        return
    try:
        if adapter.supports(Capability.CHECK_CREDENTIALS):
            adapter.check_credentials()
        else:
            next(adapter.list_jobs(), None)
    except BudgetExhausted:
        raise  # it was not asked
    except ProviderError as error:
        if error.transient and adapter.http.is_unproven:
            raise NotAdmitted(WAITING, wait_s=PAUSE_S) from error
        # it answers, or never will: the request itself finds out what is wrong


class Witness:
    """Notes what the calls of one client show of its host, as soon as that is news.

    Only the thread that made it asks the database; what the others saw is noted at the end.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._owner = threading.get_ident()
        self._row: ProviderHost | None = None
        # what the last call showed and is not written down yet
        self._seen: bool | None = None
        self._has_noted_silence = False

    def first_answer_s(self) -> float | None:
        """How long the host may take for its first answer; None where it is healthy."""
        if self._row is None and threading.get_ident() == self._owner:
            self._row = ProviderHost.get_or_untried(self._host)
        return None if self._seen or self._row is None else self._row.first_answer_s

    def note(self, is_answered: bool) -> None:
        """Keep what one call showed, and write it down where that can be done here."""
        self._seen = is_answered
        if threading.get_ident() != self._owner:
            return
        try:
            # a long call is when the connection to the database is cut unnoticed
            restore_connection()
            self.write()
        except CUT as error:
            # the answer itself is worth more than what it shows of the host
            log.warning("host not noted", host=self._host, error=type(error).__name__)

    def write(self) -> None:
        """Write down what was seen, where it is news. In the thread that made this alone."""
        seen, self._seen = self._seen, None
        if seen is None:
            return
        row = self._row = self._row or ProviderHost.get_or_untried(self._host)
        if seen:
            SEATS.note_answer()
            if not row.is_healthy:
                note_answer(self._host)
            row.is_healthy, row.failures = True, 0
        elif row.is_healthy or not self._has_noted_silence:
            ProviderHost.note_silence(self._host, row.failures, timezone.now())
            row.is_healthy, row.failures = False, row.failures + 1
            self._has_noted_silence = True


def note_answer(host: str) -> None:
    """The host answers: where that is news, make due what waits for it."""
    if not ProviderHost.note_answer(host):
        return
    now = timezone.now()
    ProviderAccount.objects.filter(
        host=host, consecutive_failures__gt=0, last_error_class__in=SILENCE, next_sync_at__gt=now
    ).update(next_sync_at=now)
    later = Q(next_at__gt=now, job__in=Job.objects.filter(account__host=host))
    JobAction.objects.filter(later, note=WAITING).update(next_at=now)
    Submission.objects.filter(
        Q(note=WAITING) | Q(state=SubmissionState.VERIFYING), later, state__in=OPEN_STATES
    ).update(next_at=now)
