"""The same job submitted again within a day, which is refused until somebody says it is meant."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from itertools import islice

from django.db.models import QuerySet
from django.utils import timezone

from jobs.models import Job, ProviderAccount, Submission
from jobs.submission.stored_request import dump_request
from providers.core.status import JobStatus
from providers.core.types import JobRequest

WINDOW = timedelta(hours=24)
# as many values as a statement of SQLite takes for sure
CHUNK = 900


class DuplicateJob(Exception):
    """The same account, input and settings ran within a day, as `job`."""

    def __init__(self, job: Job) -> None:
        super().__init__(f"The same job was submitted within 24 hours: {job}.")
        self.job = job


def fingerprint(account: ProviderAccount, request: JobRequest) -> str:
    """Equal for requests that encode the same, whatever their metadata, priority, or the order of
    heights.
    """
    settings = dump_request(replace(request, metadata=None, priority=None))
    settings["renditions"] = sorted(
        {(one.packaging, height) for one in request.renditions for height in one.heights}
    )
    text = json.dumps([account.pk, settings], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def refuse_duplicate(account: ProviderAccount, fingerprint: str) -> None:
    """Raise DuplicateJob for one; until the transaction ends, nobody else checks the account."""
    # selected only to lock it; other rows may still refer to it. SQLite has one writer anyway
    ProviderAccount.objects.select_for_update(no_key=True).only("pk").get(pk=account.pk)
    recent = _recent(account).filter(fingerprint=fingerprint)
    earlier = recent.select_related("job").order_by("-created_at").first()
    if earlier is not None:
        raise DuplicateJob(earlier.job)


def find_duplicates(account: ProviderAccount, fingerprints: Iterable[str]) -> dict[str, int]:
    """By fingerprint: the newest job with it that was submitted within a day, by its id."""
    found: dict[str, int] = {}
    remaining = iter(sorted(fingerprints))
    while chunk := list(islice(remaining, CHUNK)):
        recent = _recent(account).filter(fingerprint__in=chunk).order_by("created_at")
        found |= dict(recent.values_list("fingerprint", "pk"))
    return found


def _recent(account: ProviderAccount) -> QuerySet[Submission]:
    return Submission.objects.filter(
        organization=account.organization_id, created_at__gt=timezone.now() - WINDOW
    ).exclude(job__status__in=[JobStatus.FAILED, JobStatus.CANCELLED])
