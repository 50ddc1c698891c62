"""An error group as pages show it: its figures, links, and what its class means."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone

from insights.errors.bars import Bar, bars_of
from insights.errors.counts import Totals, day_edges, members_of, read_trends
from insights.errors.listing import FIXERS
from jobs.models import JobErrorGroup, ProviderAccount
from jobs.query.visibility import Visibility
from organizations.models import Organization
from providers.core.errors import ErrorClass


@dataclass(frozen=True, slots=True)
class GroupRow:
    group: JobErrorGroup
    totals: Totals
    bars: Sequence[Bar]
    # the account with most failures first
    accounts: Sequence[ProviderAccount]
    url: str
    jobs_url: str
    unresolved_url: str
    mark: str

    @property
    def providers(self) -> list[str]:
        return list(dict.fromkeys(account.provider_label for account in self.accounts))

    @property
    def places(self) -> str:
        """Below the provider: the account, or how many there are."""
        if len(self.providers) > 1:
            return f"{len(self.providers)} providers"
        count = len(self.accounts)
        if count == 1 and self.accounts[0].name not in self.providers:
            return self.accounts[0].name
        return f"{count} account{'' if count == 1 else 's'}"

    @property
    def fixer(self) -> str:
        return FIXERS[self.group.known.fixer]

    @property
    def retry(self) -> str:
        return describe_retry(self.group.known)


def describe_retry(known: ErrorClass) -> str:
    if not known.retry_helps:
        return "Retry does not help"
    if known.is_transient:
        return "Retry helps"
    return "Retry may help" if known.fixer == "provider" else "Retry helps after the fix"


def build_rows(
    groups: Iterable[JobErrorGroup],
    totals: Mapping[int, Totals],
    visible: Visibility,
    accounts: Mapping[int, ProviderAccount],
    now: datetime,
) -> list[GroupRow]:
    """Two queries, however many groups."""
    groups = list(groups)
    members = members_of(group.pk for group in groups)
    edges = day_edges(now)
    trends = read_trends(visible, members, edges)
    return [
        build_row(group, totals[group.pk], bars_of(group, edges, trends[group.pk]), accounts)
        for group in groups
    ]


def build_row(
    group: JobErrorGroup,
    totals: Totals,
    bars: Sequence[Bar],
    accounts: Mapping[int, ProviderAccount],
) -> GroupRow:
    organization = group.organization
    mark = group.current_mark(timezone.now())
    return GroupRow(
        group,
        totals,
        bars,
        [accounts[pk] for pk in totals.accounts if pk in accounts],
        url=group_url(group),
        jobs_url=jobs_url(organization, group),
        unresolved_url=jobs_url(organization, group, status="failed", unresolved="true"),
        mark=str(mark.label) if mark else "",
    )


def group_url(group: JobErrorGroup) -> str:
    return reverse("insights:error", args=[group.organization.slug, group.pk])


def jobs_url(organization: Organization, group: JobErrorGroup, **more: str) -> str:
    query = urlencode({**more, "error_group": group.pk})
    return f"{reverse('jobs:list', args=[organization.slug])}?{query}"
