"""The filters of the list of accounts."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Self

from jobs.models import HealthState, ProviderAccount
from jobs.query.list_filter import ListFilter
from jobs.query.parameters import Params
from jobs.query.visibility import Visibility


@dataclass(frozen=True)
class AccountFilter(ListFilter):
    """Which accounts a list shows. Made by `parse`."""

    REPEATED: ClassVar[tuple[str, ...]] = ("provider", "state")
    CONDITIONS: ClassVar[tuple[str, ...]] = (*REPEATED, "enabled")
    OTHERS: ClassVar[tuple[str, ...]] = ()

    account_ids: frozenset[int] | None = None
    state: frozenset[HealthState] = frozenset()
    enabled: bool | None = None

    @classmethod
    def parse(cls, params: Params, visible: Visibility) -> Self:
        """Read the query string of a list of accounts.

        One query when providers are named, else none.
        """
        read = cls.read(params, visible)
        return cls(
            account_ids=read.account_ids(),
            state=read.choices("state", HealthState),
            enabled=read.flag("enabled"),
            given=read.given,
            errors=read.errors,
            unknown=read.unknown,
            organization_id=visible.organization.pk,
        )

    def apply(self, accounts: Iterable[ProviderAccount]) -> list[ProviderAccount]:
        """Those of `accounts` that fit: an organization has few, and a state is no column."""
        return [
            account
            for account in accounts
            if (self.account_ids is None or account.pk in self.account_ids)
            and (not self.state or account.health in self.state)
            and self.enabled in (None, account.enabled)
        ]
