"""Which failures a rule is for. What it retries and what a dry run counts is asked here alone."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Case,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.fields import DateTimeField
from django.db.models.functions import Coalesce

from jobs.models import AutomaticRetry, Job, JobErrorGroup, ProviderAccount, RetryRule
from providers.core import registry
from providers.core.status import JobStatus
from providers.core.types import Capability

# Jobs with what is annotated
Failures = QuerySet[Any, Any]

# A failure that we hear of later than this is left to people,
# and so is a retry that would be made later.
HEARD_WITHIN = timedelta(days=1)


def failures(rule: RetryRule) -> Failures:
    """All failures that the rule is for, whenever they happened; the rule may be unsaved.

    Each with `failed_at`, `heard_at` (when we saw it) and `depth`: how many attempts were before
    it. Left out: those that an account's first import found, those that cannot be retried, and
    attempts after which the rule allows no further one.
    """
    jobs = Job.objects.filter(organization=rule.organization_id, status=JobStatus.FAILED)
    found: Failures = jobs.annotate(
        failed_at=Coalesce("ended_at", "sort_at"),
        heard_at=Coalesce("observed_finished_at", "first_seen_at"),
        depth=_depth(rule.max_retries),
    )
    if rule.account_id is not None:
        found = found.filter(account=rule.account_id)
    imported = Q(observed_finished_at__isnull=True) & (
        Q(account__imported_at__isnull=True) | Q(first_seen_at__lte=F("account__imported_at"))
    )
    late = ExpressionWrapper(F("failed_at") + HEARD_WITHIN, output_field=DateTimeField())
    return (
        found.filter(_errors(rule), _retryable(rule), heard_at__lte=late)
        .filter(**{"__".join(["retry_of"] * rule.max_retries) + "__isnull": True})
        .exclude(imported)
    )


def open_failures(rule: RetryRule) -> Failures:
    """Those of `failures` that nobody and nothing has retried so far."""
    found = failures(rule).filter(is_unresolved=True, is_newest=True)
    return found.exclude(Exists(Job.objects.filter(retry_of=OuterRef("pk"))))


def new_failures(rule: RetryRule, now: datetime) -> Failures:
    """Those of `open_failures` since the rule was switched on that no rule has seen yet.

    Reads the unresolved failures of two days, by their index.
    """
    if rule.starts_at is None:
        return Job.objects.none()
    since = max(rule.starts_at, now - 2 * HEARD_WITHIN)
    seen = AutomaticRetry.objects.filter(job=OuterRef("pk"))
    found = open_failures(rule).filter(failed_at__gte=since, heard_at__gte=rule.starts_at)
    return found.exclude(Exists(seen))


def _depth(most: int) -> Case:
    first = [
        When(**{"__".join(["retry_of"] * (depth + 1)) + "__isnull": True}, then=Value(depth))
        for depth in range(most)
    ]
    return Case(*first, default=Value(most), output_field=IntegerField())


def _errors(rule: RetryRule) -> Q:
    if rule.error_group_id is None:
        return Q(error_class__in=rule.error_classes)
    same = Q(pk=rule.error_group_id) | Q(merged_into=rule.error_group_id)
    groups = list(JobErrorGroup.objects.filter(same).values_list("pk", flat=True))
    in_group = Q(error_group__in=groups)
    return in_group & Q(error_class__in=rule.error_classes) if rule.only_transient else in_group


def _retryable(rule: RetryRule) -> Q:
    """As jobs.actions.offers, without what changes with time: that is decided when it is due."""
    accounts = ProviderAccount.objects.filter(organization=rule.organization_id)
    if rule.account_id is not None:
        accounts = accounts.filter(pk=rule.account_id)
    native: list[int] = []
    refusing: list[int] = []
    submitting: list[int] = []
    for pk, slug in accounts.values_list("pk", "provider"):
        adapter = registry.get_or_removed(slug)
        if adapter.supports(Capability.RESUBMIT):
            is_able = JobStatus.FAILED in adapter.resubmittable
            (native if is_able else refusing).append(pk)
        if adapter.supports(Capability.SUBMIT):
            submitting.append(pk)
    is_native = Q(account__in=[*native, *refusing], remote_id__isnull=False)
    submitted_here = Q(account__in=submitting, request__isnull=False)
    return Q(account__in=native, remote_id__isnull=False) | (~is_native & submitted_here)
