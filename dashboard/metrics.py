"""The metrics, read from the database on each request.

Nothing is counted in a process: the answer is the same whichever of the web processes gives it,
and after a restart. It holds names and numbers, and nothing that a provider sent.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import product
from typing import Any

from django.db.models import Count, QuerySet
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from jobs.accounts.freshness import HealthStatus, freshness
from jobs.models import (
    Job,
    JobPoll,
    ProviderAccount,
    RowFailure,
    Submission,
    SubmissionState,
    WebhookDelivery,
)
from jobs.models.submission import OPEN_STATES
from providers.core.status import TERMINAL, JobStatus

LABELS = ("organization", "provider", "account", "account_id")
# A submission has a row of its own, and is counted there.
UNFINISHED = sorted(set(JobStatus) - TERMINAL - {JobStatus.SUBMITTING})
UNSETTLED = (*OPEN_STATES, SubmissionState.UNCONFIRMED)


def exposition(now: datetime) -> bytes:
    """The metrics in Prometheus' text format, in five queries whatever there is."""
    registry = CollectorRegistry()
    registry.register(BoardCollector(now))
    return generate_latest(registry)


class BoardCollector(Collector):
    """Gauges of every account. Zeros are included, so that an alert never lacks its series; only
    a first success that is still to come has no value."""

    def __init__(self, now: datetime) -> None:
        self._now = now

    def describe(self) -> Iterable[Metric]:
        """Nothing: else the registry would collect once more just to learn the names."""
        return ()

    def collect(self) -> Iterator[Metric]:
        # without the credentials, which nobody needs here
        accounts = list(
            ProviderAccount.objects.select_related("organization")
            .defer("credentials", "hook_secret")
            .order_by("pk")
        )
        yield from self._health(accounts)
        yield _counts(
            _gauge("jobs_unfinished", "Jobs of the provider that have not ended.", "status"),
            accounts,
            JobPoll.objects.values_list("account_id", "job__status"),
            UNFINISHED,
        )
        yield _counts(
            _gauge("jobs_stuck", "Unfinished jobs that take far too long."),
            accounts,
            Job.objects.filter(is_stuck=True).order_by().values_list("account_id"),
        )
        yield _counts(
            _gauge(
                "submissions_open",
                "Open submissions; an unconfirmed one waits for a person.",
                "state",
            ),
            accounts,
            Submission.objects.filter(state__in=UNSETTLED).values_list("account_id", "state"),
            UNSETTLED,
        )
        yield _counts(
            _gauge("webhook_deliveries_waiting", "Deliveries whose job has not been read yet."),
            accounts,
            WebhookDelivery.objects.waiting(self._now).order_by().values_list("account_id"),
        )

        yield _row_failures()

    def _health(self, accounts: Sequence[ProviderAccount]) -> Iterator[GaugeMetricFamily]:
        state = _gauge("account_state", "1 for the account's current state, else 0.", "state")
        success = _gauge(
            "account_last_success_timestamp_seconds",
            "When the account was last synced successfully.",
        )
        due = _gauge("account_next_sync_timestamp_seconds", "When the next sync is due.")
        failures = _gauge("account_consecutive_failures", "Failed syncs in a row.")
        late = _gauge("account_late", "1 if the last successful sync is overdue, else 0.")
        for account in accounts:
            labels = _labels(account)
            status = freshness(account, self._now).status
            for each in HealthStatus:
                state.add_metric([*labels, each], each == status)
            if account.last_success_at:
                success.add_metric(labels, account.last_success_at.timestamp())
            due.add_metric(labels, account.next_sync_at.timestamp())
            failures.add_metric(labels, account.consecutive_failures)
            late.add_metric(labels, account.is_late(self._now))
        yield from (state, success, due, failures, late)


def _row_failures() -> CounterMetricFamily:
    failures = CounterMetricFamily(
        "reelboard_rows_not_rendered",
        "Rows of pages that could not be rendered; the log says why.",
        labels=["template"],
    )
    for template, count in RowFailure.objects.order_by("pk").values_list("template", "count"):
        failures.add_metric([template], count)
    return failures


def _counts(
    gauge: GaugeMetricFamily,
    accounts: Sequence[ProviderAccount],
    rows: QuerySet[Any, Any],
    values: Sequence[str] = (),
) -> GaugeMetricFamily:
    """Count `rows`, which hold an account's id and, where `values` are given, one of those."""
    found = {tuple(key): count for *key, count in rows.annotate(count=Count("pk"))}
    endings: list[tuple[str, ...]] = [(value,) for value in values] or [()]
    for account, ending in product(accounts, endings):
        gauge.add_metric([*_labels(account), *ending], found.get((account.pk, *ending), 0))
    return gauge


def _gauge(name: str, help_text: str, *more_labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"reelboard_{name}", help_text, labels=[*LABELS, *more_labels])


def _labels(account: ProviderAccount) -> list[str]:
    return [account.organization.slug, account.provider, account.name, str(account.pk)]
