"""Which jobs a bulk action leaves out, and why: what jobs.actions.offers says, as a condition."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import NamedTuple

from django.db.models import Case, CharField, Exists, OuterRef, Q, Value, When

from jobs.actions.facts import find_unfinished_retries
from jobs.actions.offers import Refusal
from jobs.models import BulkKind, Submission, SubmissionState
from jobs.models.mirror.job import JobQuerySet
from providers.core import registry
from providers.core.contract import Provider
from providers.core.status import TERMINAL, JobStatus
from providers.core.types import Capability

# Beside the reasons of single actions: a retry would encode what is there already. Who wants that
# retries the one job.
RESOLVED = "resolved"

# What is said of several jobs with one reason
SENTENCES: Mapping[str, str] = {
    Refusal.FINISHED: "Already ended",
    Refusal.NOT_FINISHED: "Not ended yet",
    Refusal.WRONG_STATUS: "In a status in which the provider does not do this",
    Refusal.NOT_SUPPORTED: "The provider does not support this",
    Refusal.NOT_SUBMITTED_HERE: "Not submitted with Reelboard, so the settings are unknown",
    Refusal.BEING_SENT: "Being sent to the provider right now",
    Refusal.NOT_ACCEPTED: "Never accepted by the provider",
    Refusal.NOT_CURRENT: "Replaced by a later attempt",
    Refusal.GONE: "No longer at the provider",
    Refusal.PAUSED: "The account is paused",
    Refusal.RETRY_RUNNING: "A retry has not ended yet",
    RESOLVED: "A later attempt has already succeeded",
}


class AccountFacts(NamedTuple):
    """What an account decides about its jobs."""

    pk: int
    provider: str
    enabled: bool


def with_refusals(
    jobs: JobQuerySet, kind: BulkKind, accounts: Collection[AccountFacts]
) -> JobQuerySet:
    """`jobs`, which are of `accounts`, each with `refusal`: why the action leaves it out, or empty.

    Unfinished retries are not among the reasons: see `find_refusals`.
    """
    whens = _refuse_cancel(accounts) if kind == BulkKind.CANCEL else _refuse_retry(accounts)
    return jobs.annotate(
        refusal=Case(*whens, default=Value(""), output_field=CharField(max_length=20))
    )


def find_refusals(refusals: Mapping[int, str], kind: BulkKind) -> dict[int, str]:
    """By job: why it is left out, or empty. `refusals` are those of `with_refusals`.

    For a cancel no query, else one for each generation of retries.
    """
    found = dict(refusals)
    if kind == BulkKind.RESUBMIT:
        for pk in find_unfinished_retries(found):
            if pk in found and found[pk] != Refusal.NOT_SUPPORTED:
                found[pk] = Refusal.RETRY_RUNNING
    return found


def _refuse_cancel(accounts: Iterable[AccountFacts]) -> list[When]:
    submitting = Q(status=JobStatus.SUBMITTING)
    unsent = Submission.objects.filter(
        pk=OuterRef("pk"), state=SubmissionState.DUE, leased_until__isnull=True
    )
    wrong = Q(pk__in=[])
    for ids, adapter in _by_adapter(accounts):
        wrong |= Q(account__in=ids) & ~Q(status__in=sorted(adapter.cancellable))
    return [
        When(submitting & Q(Exists(unsent)), then=Value("")),
        _refuse(submitting, Refusal.BEING_SENT),
        _refuse(_lacking(accounts, Capability.CANCEL), Refusal.NOT_SUPPORTED),
        _refuse(Q(status__in=sorted(TERMINAL)), Refusal.FINISHED),
        *_refuse_out_of_reach(Q()),
        _refuse(wrong, Refusal.WRONG_STATUS),
        _refuse(Q(account__in=[one.pk for one in accounts if not one.enabled]), Refusal.PAUSED),
    ]


def _refuse_retry(accounts: Iterable[AccountFacts]) -> list[When]:
    lacks_native = _lacking(accounts, Capability.RESUBMIT) | Q(remote_id__isnull=True)
    native = Q(remote_id__isnull=False, account__in=_able(accounts, Capability.RESUBMIT))
    wrong = Q(pk__in=[])
    for ids, adapter in _by_adapter(accounts):
        wrong |= Q(account__in=ids) & ~Q(status__in=sorted(adapter.resubmittable))
    return [
        _refuse(lacks_native & _lacking(accounts, Capability.SUBMIT), Refusal.NOT_SUPPORTED),
        _refuse(Q(resolved_by__isnull=False), RESOLVED),
        _refuse(~Q(status__in=sorted(TERMINAL)), Refusal.NOT_FINISHED),
        _refuse(lacks_native & Q(request__isnull=True), Refusal.NOT_SUBMITTED_HERE),
        *_refuse_out_of_reach(native),
        _refuse(native & wrong, Refusal.WRONG_STATUS),
    ]


def _refuse_out_of_reach(among: Q) -> list[When]:
    return [
        _refuse(among & Q(is_newest=False), Refusal.NOT_CURRENT),
        _refuse(among & Q(gone_at__isnull=False), Refusal.GONE),
        _refuse(among & Q(remote_id__isnull=True), Refusal.NOT_ACCEPTED),
    ]


def _refuse(condition: Q, reason: str) -> When:
    return When(condition, then=Value(str(reason)))


def _able(accounts: Iterable[AccountFacts], capability: Capability) -> list[int]:
    return [
        pk for ids, adapter in _by_adapter(accounts) if adapter.supports(capability) for pk in ids
    ]


def _lacking(accounts: Iterable[AccountFacts], capability: Capability) -> Q:
    able = set(_able(accounts, capability))
    return Q(account__in=[one.pk for one in accounts if one.pk not in able])


def _by_adapter(
    accounts: Iterable[AccountFacts],
) -> Iterator[tuple[list[int], type[Provider]]]:
    slugs = dict.fromkeys(one.provider for one in accounts)
    for slug in slugs:
        yield [one.pk for one in accounts if one.provider == slug], registry.get_or_removed(slug)
