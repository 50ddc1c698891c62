"""A circuit breaker for each provider's host, kept in its row for all accounts and workers.

A host is unhealthy after one call without a response and until one with; unhealthy before the
first. While it is, one short call at a time probes it, and what waits for it stays in the database.
"""

import threading
from datetime import datetime, timedelta

import structlog
from django.db.models import F, Q
from django.utils import timezone

from jobs.models import (
    Job,
    JobAction,
    ProviderAccount,
    ProviderHost,
    Submission,
    SubmissionState,
)
from jobs.models.submission import OPEN_STATES
from jobs.workqueue.backoff import Backoff
from jobs.workqueue.reconnect import DISCONNECTED, restore_connection
from jobs.workqueue.slots import SLOTS

log = structlog.get_logger(__name__)

# What waits for the host is interactive work, too: the pauses of an account grow further.
PAUSE = Backoff(first_s=2, cap_s=60)
# A healthy API answers a small read within a second. A host that needs longer gets the time in the
# end: twice as much with each failure after the second, up to what any call may take.
FIRST_RESPONSE = Backoff(first_s=5, cap_s=30)
# How much longer than its call a probe is held. A killed worker costs no more: the small share
# that all probes have is short.
PROBE_MARGIN_S = 5.0

WAITING = "Waiting: the provider is not responding."
# Error classes of calls that had no response.
NO_RESPONSE = ("provider.timeout", "provider.outage")


def find_host(name: str) -> ProviderHost:
    """The host's row, or one that is not saved."""
    return ProviderHost.objects.filter(pk=name).first() or ProviderHost(name=name)


def first_response_s(host: ProviderHost) -> float | None:
    """How long the host may take for its first response; None where it is healthy."""
    return None if host.is_healthy else FIRST_RESPONSE.wait_s(host.failures - 1)


def begin_probe(name: str, limit_s: float) -> datetime | None:
    """Take the right to probe the unhealthy host; None where another probes, or it is too early."""
    now = timezone.now()
    ProviderHost.objects.bulk_create(
        [ProviderHost(name=name, next_probe_at=now)], ignore_conflicts=True
    )
    lease = now + timedelta(seconds=limit_s + PROBE_MARGIN_S)
    free = ProviderHost.objects.filter(
        Q(probed_until__isnull=True) | Q(probed_until__lte=now),
        name=name,
        is_healthy=False,
        next_probe_at__lte=now,
    )
    return lease if free.update(probed_until=lease) else None


def end_probe(name: str, lease: datetime) -> None:
    """Give the right back, where the result of the probe did not end it."""
    ProviderHost.objects.filter(name=name, probed_until=lease).update(probed_until=None)


def mark_responding(name: str) -> None:
    """The host responds: where that is news, make due what waits for it."""
    ProviderHost.objects.bulk_create([ProviderHost(name=name)], ignore_conflicts=True)
    unhealthy = ProviderHost.objects.filter(name=name, is_healthy=False)
    if unhealthy.update(is_healthy=True, failures=0, probed_until=None):
        _make_due(name)


def mark_unresponsive(name: str, failures: int) -> None:
    """`failures`: how many there were before, which decides how long it is left alone."""
    ProviderHost.objects.bulk_create([ProviderHost(name=name)], ignore_conflicts=True)
    ProviderHost.objects.filter(name=name).update(
        is_healthy=False,
        failures=F("failures") + 1,
        next_probe_at=timezone.now() + timedelta(seconds=PAUSE.wait_s(failures + 1)),
        probed_until=None,
    )


def _make_due(host: str) -> None:
    now = timezone.now()
    ProviderAccount.objects.filter(
        host=host,
        consecutive_failures__gt=0,
        last_error_class__in=NO_RESPONSE,
        next_sync_at__gt=now,
    ).update(next_sync_at=now)
    later = Q(next_at__gt=now, job__in=Job.objects.filter(account__host=host))
    JobAction.objects.filter(later, note=WAITING).update(next_at=now)
    Submission.objects.filter(
        Q(note=WAITING) | Q(state=SubmissionState.VERIFYING), later, state__in=OPEN_STATES
    ).update(next_at=now)


class HostMonitor:
    """Records what the calls of one client show of its host, as soon as that is news.

    Only the thread that made it asks the database; what the others saw is recorded at the end.
    """

    def __init__(self, host: str) -> None:
        self._host = host
        self._owner = threading.get_ident()
        self._row: ProviderHost | None = None
        # what the last call showed and is not written yet
        self._has_responded: bool | None = None
        self._has_written_failure = False

    def first_response_s(self) -> float | None:
        """How long the host may take for its first response; None where it is healthy."""
        if self._row is None and threading.get_ident() == self._owner:
            self._row = find_host(self._host)
        if self._has_responded or self._row is None:
            return None
        return first_response_s(self._row)

    def record(self, has_responded: bool) -> None:
        """Keep what one call showed, and write it where that can be done here."""
        self._has_responded = has_responded
        if threading.get_ident() != self._owner:
            return
        try:
            # a long call is when the connection to the database is cut unnoticed
            restore_connection()
            self.write()
        except DISCONNECTED as error:
            # the response itself is worth more than what it shows of the host
            log.warning("host state not written", host=self._host, error=type(error).__name__)

    def write(self) -> None:
        """Write what was seen, where it is news. In the thread that made this alone."""
        has_responded, self._has_responded = self._has_responded, None
        if has_responded is None:
            return
        row = self._row = self._row or find_host(self._host)
        if has_responded:
            SLOTS.mark_response()
            if not row.is_healthy:
                mark_responding(self._host)
            row.is_healthy, row.failures = True, 0
        elif row.is_healthy or not self._has_written_failure:
            mark_unresponsive(self._host, row.failures)
            row.is_healthy, row.failures = False, row.failures + 1
            self._has_written_failure = True
