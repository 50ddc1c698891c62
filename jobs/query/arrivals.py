"""What came into a list since it was rendered.

Found by the revisions of the accounts, which follow the order of commits: neither a provider's
clock nor a slow transaction hides a job.
"""

import re
from collections.abc import Iterable
from hashlib import blake2b

from django.db.models import F, Q, QuerySet

from jobs.models import Job, ProviderAccount
from jobs.query.jobs import JobFilter

_PAIR = re.compile(r"(\d{1,18})\.(\d{1,18})", re.ASCII)


def mark(accounts: Iterable[ProviderAccount]) -> str:
    """The accounts' revisions, as a page keeps them. Read the accounts before the list."""
    return "r" + "_".join(f"{account.pk}.{account.revision}" for account in accounts)


def fingerprint(text: str) -> str:
    """Equal for equal marks, and short."""
    return blake2b(text.encode(errors="replace"), digest_size=6).hexdigest()


def arrivals(
    jobs: QuerySet[Job], filters: JobFilter, since: str, accounts: Iterable[ProviderAccount]
) -> QuerySet[Job]:
    """The jobs that came into the list of `filters` after the mark `since`; none without a mark.

    Where the list is one of a status, a job comes into it with that status, else when we first
    saw it. What an account's first import brings is history, and no news.
    """
    if not since.startswith("r"):
        return jobs.none()
    known = {int(pk): int(revision) for pk, revision in _PAIR.findall(since)}
    came = Q(pk__in=[])
    for account in accounts:
        revision = known.get(account.pk, 0)
        if account.revision > revision:
            came |= _came(account, revision, filters) & ~_history(account, filters)
    return filters.apply(jobs).filter(came) if came.children else jobs.none()


def _came(account: ProviderAccount, revision: int, filters: JobFilter) -> Q:
    came = Q(account=account, status_revision__gt=revision)
    return came if filters.follows_status else came & Q(first_seen_revision__gt=revision)


def _history(account: ProviderAccount, filters: JobFilter) -> Q:
    """Jobs older than the account's connection here, as its first import brought them."""
    history = Q(sort_at__lt=account.created_at)
    if account.imported_at is not None:
        history &= Q(first_seen_at__lte=account.imported_at)
    if filters.follows_status:
        history &= Q(status_revision=F("first_seen_revision"))
    return history
