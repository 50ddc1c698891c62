"""What came into a list since it was rendered.

Found by the revisions of the accounts, which follow the order of commits: neither a provider's
clock nor a slow transaction hides a job.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from hashlib import blake2b
from typing import Any

from django.db.models import Aggregate, F, Q, QuerySet, Subquery, TextField

from jobs.models import Job, ProviderAccount
from jobs.query.jobs import JobFilter
from jobs.query.search.matches import are_among
from organizations.models import Organization

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


class Joined(Aggregate):
    """`1.2.true.3_4.5.false.6`: the values of each row, and the rows."""

    function = "STRING_AGG"
    template = "%(function)s(%(expressions)s, '_')"
    arg_joiner = " || '.' || "
    output_field = TextField()

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> Any:
        return self.as_sql(compiler, connection, function="GROUP_CONCAT", **context)


def versions_of(organization: Organization, pks: Sequence[int]) -> Subquery:
    """A column for `read_versions`, the same in each row: what is known of these jobs.

    In the query of the accounts it costs half of what one of its own would.
    """
    jobs = Job.objects.for_organization(organization).filter(are_among(pks)).order_by()
    # all of one group
    joined = Joined("pk", "version", "is_active", "account")
    return Subquery(jobs.values("organization").values(joined=joined))


def read_versions(column: str | None) -> Iterator[tuple[str, int, bool, int]]:
    """The id of each job, its version, whether it is active, and its account."""
    for row in (column or "").split("_"):
        if row:
            pk, version, is_active, account = row.split(".")
            yield pk, int(version), is_active in ("1", "true"), int(account)


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
