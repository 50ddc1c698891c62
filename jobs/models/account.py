"""A provider account: where its jobs come from, how it is doing, and when it is next due."""

import secrets
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.functions import Concat, Lower, StrIndex, Substr
from django.utils import timezone

from jobs.models.fields import EncryptedJSONField
from jobs.models.requests.template import RequestTemplate
from jobs.models.work import LeasedModel, unleased
from organizations.models import Organization
from providers.core import registry
from providers.core.contract import Account, Provider
from providers.parsing.text import make_visible

# A lease outlives the longest pass (PASS_DEADLINE in jobs.sync.runner), so that a slow pass is
# never joined by a second one, and a killed one holds the account up no longer than this.
LEASE = timedelta(seconds=150) / settings.RECOVERY_SPEEDUP

MAX_BASE_URL = 500


# A healthy API answers within a second. One that needs longer than this is not waited for by all.
SLOW_MS = 5_000
# as not ProviderAccount.is_unreliable
RELIABLE = Q(consecutive_failures=0) & (Q(latency_ms__isnull=True) | Q(latency_ms__lte=SLOW_MS))

# Without a success for that long after it was due, an account is late.
LATE = timedelta(seconds=60)


class HealthState(StrEnum):
    UNCHECKED = "unchecked"  # the provider has not accepted the credentials so far
    OK = "ok"
    FAILING = "failing"
    REFUSED = "refused"
    PAUSED = "paused"


def provider_choices() -> list[tuple[str, str]]:
    """A callable, so that a new provider needs no migration."""
    return registry.choices()


def new_hook_secret() -> str:
    return secrets.token_urlsafe(24)


# What pages that say how all accounts are doing do not need, the secrets among it
UNSHOWN_COLUMNS = (
    *("credentials", "hook_secret", "options", "base_url", "host", "is_default"),
    "default_template",
    *("dispatched_until", "lease", "last_error_at", "latency_ms", "rate_remaining"),
    *("import_cursor", "import_read_cursor", "last_pass_at", "crawled_at"),
)


class ProviderAccountQuerySet(models.QuerySet["ProviderAccount"]):
    def for_organization(self, organization: Organization) -> "ProviderAccountQuerySet":
        return self.filter(organization=organization)

    def for_health(self) -> "ProviderAccountQuerySet":
        """With what every page says of each account; no secrets, and no JSON to decode."""
        return self.defer(*UNSHOWN_COLUMNS)

    def due(self, now: datetime) -> "ProviderAccountQuerySet":
        """Accounts whose sync is due and that nobody syncs, longest waiting first."""
        return self.filter(
            unleased(now),
            enabled=True,
            refused_at__isnull=True,
            next_sync_at__lte=now,
        ).order_by("next_sync_at")


# A base URL from its host on
_REST = Substr("base_url", StrIndex("base_url", Value("//")) + Value(2))
# A sum, since Django takes a bare 1 between commas for a column when it inspects SQLite's tables.
_FIRST = Value(0) + Value(1)

# A stray digit must not stop the clock: what is larger than this nobody means.
LARGEST_OPTION = 1_000_000


class ProviderAccount(LeasedModel):
    organization = models.ForeignKey(
        Organization, on_delete=models.CASCADE, related_name="accounts"
    )
    provider = models.CharField(max_length=40, choices=provider_choices)
    name = models.CharField(max_length=100)
    base_url = models.CharField(max_length=MAX_BASE_URL)
    # as one ProviderHost: what is between the two slashes and the next one
    host = models.GeneratedField(
        expression=Lower(
            Substr(_REST, _FIRST, StrIndex(Concat(_REST, Value("/")), Value("/")) - Value(1))
        ),
        output_field=models.CharField(max_length=500),
        db_persist=True,
    )
    credentials = EncryptedJSONField(default=dict)
    options = models.JSONField(default=dict, blank=True)
    enabled = models.BooleanField(
        default=True, help_text="A paused account is not polled and holds its submissions."
    )
    # what the form for a new job begins with, for all members
    is_default = models.BooleanField(default=False, editable=False)
    # what the form for a new job at this account begins with
    default_template = models.ForeignKey(
        RequestTemplate,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        editable=False,
        related_name="default_at",
    )
    # the last path segment of our webhook URL
    hook_secret = EncryptedJSONField(default=new_hook_secret)
    created_at = models.DateTimeField(auto_now_add=True)

    last_success_at = models.DateTimeField(null=True, blank=True)
    last_error_at = models.DateTimeField(null=True, blank=True)
    last_error_class = models.CharField(max_length=40, blank=True)
    last_error_message = models.CharField(max_length=500, blank=True)
    consecutive_failures = models.PositiveIntegerField(default=0)
    refused_at = models.DateTimeField(
        null=True, blank=True, help_text="The provider refused the credential; polling has stopped."
    )
    unchecked_since = models.DateTimeField(
        null=True, blank=True, help_text="Saved then without an answer about the credentials."
    )
    latency_ms = models.PositiveIntegerField(null=True, blank=True)
    # why the last pass had to do without the provider's list; empty where it did not
    list_error = models.CharField(max_length=500, blank=True)
    rate_remaining = models.PositiveIntegerField(null=True, blank=True)

    next_sync_at = models.DateTimeField(default=timezone.now)
    # when the next success is due, counted from the last one; failures do not move it
    expected_at = models.DateTimeField(default=timezone.now, editable=False)
    # moves with each change of the account's jobs, in the transaction that writes it
    revision = models.PositiveBigIntegerField(default=0)
    # where the import of the list resumes; empty: at the top
    import_cursor = models.CharField(max_length=500, blank=True)
    # where the page before that begins, which is read again when the import resumes
    import_read_cursor = models.CharField(max_length=500, blank=True)
    imported_at = models.DateTimeField(null=True, blank=True)
    # when the last complete crawl began: terminal jobs count as confirmed then
    last_pass_at = models.DateTimeField(null=True, blank=True)
    # when that crawl ended
    crawled_at = models.DateTimeField(null=True, blank=True)

    objects = ProviderAccountQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint("organization", "name", name="account_name_unique"),
            models.UniqueConstraint(
                fields=["organization"],
                condition=Q(is_default=True),
                name="account_one_default",
            ),
        ]
        indexes = [
            # the tick: due accounts
            models.Index(fields=["next_sync_at"], name="account_due"),
        ]

    def __str__(self) -> str:
        return make_visible(self.name)

    @property
    def adapter_class(self) -> type[Provider]:
        return registry.get_or_removed(self.provider)

    @property
    def provider_label(self) -> str:
        return self.adapter_class.label

    def as_remote(self) -> Account:
        """What the adapter is given; decrypts the credentials."""
        return Account(self.base_url, self.credentials, self.options)

    @property
    def health(self) -> HealthState:
        if not self.enabled:
            return HealthState.PAUSED
        if self.refused_at:
            return HealthState.REFUSED
        if self.consecutive_failures:
            return HealthState.FAILING
        return HealthState.UNCHECKED if self._is_unchecked else HealthState.OK

    @property
    def _is_unchecked(self) -> bool:
        """Whether no pass has succeeded since the credentials were saved without an answer."""
        since, success = self.unchecked_since, self.last_success_at
        return since is not None and (success is None or success < since)

    @property
    def is_confirming(self) -> bool:
        """Whether syncs keep confirming what we show of the account's unfinished jobs."""
        return self.health not in (HealthState.FAILING, HealthState.REFUSED, HealthState.PAUSED)

    @property
    def is_unreliable(self) -> bool:
        """Whether its passes may hold a thread for long: it failed, or answered slowly."""
        return self.consecutive_failures > 0 or (self.latency_ms or 0) > SLOW_MS

    @property
    def is_importing(self) -> bool:
        return self.imported_at is None

    def end_lease(self) -> None:
        """Have a pass that is under way, with the settings as they were, write nothing more.

        Unsaved: save it together with the new settings.
        """
        self.lease = self.leased_until = None

    def next_revision(self) -> int:
        """Move the revision and return it.

        Call it inside the transaction that writes the jobs it is for, after their rows are locked:
        the account is then held to the end, so that revisions follow the order of commits.
        """
        row = ProviderAccount.objects.filter(pk=self.pk)
        row.update(revision=F("revision") + 1)
        return row.values_list("revision", flat=True).first() or 0

    def is_late(self, now: datetime) -> bool:
        """Whether what we show of it is older than its schedule promises, for any reason.

        Paused, it promises nothing. A pass that takes long renews its lease as it goes on, which
        counts until the next success.
        """
        if not self.enabled:
            return False
        renewed_at = self.leased_until - LEASE if self.leased_until else self.expected_at
        return max(self.expected_at, renewed_at) + LATE < now

    def option_int(self, name: str, default: int) -> int:
        """An integer option; `default` when it is missing, not a number, or absurdly large."""
        value: Any = self.options.get(name)
        try:
            number = int(value)
        except (TypeError, ValueError, OverflowError):
            return default
        return number if 0 <= number <= LARGEST_OPTION else default
