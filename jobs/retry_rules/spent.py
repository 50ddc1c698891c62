"""Rules that have made their retries of the day at an account, and so leave it to people."""

from dataclasses import dataclass

from django.utils import timezone

from jobs.models import AutomaticRetry, ProviderAccount, RetryRule, RetryState
from organizations.models import Organization


@dataclass(frozen=True, slots=True)
class Spent:
    """Pairs of a rule that is on and an account with failures that it left."""

    pairs: list[tuple[RetryRule, ProviderAccount]]

    def of_rule(self, rule: RetryRule) -> list[ProviderAccount]:
        return [account for one, account in self.pairs if one == rule]

    def of_account(self, account: ProviderAccount) -> list[RetryRule]:
        return [rule for rule, one in self.pairs if one == account]


def find_spent(organization: Organization) -> Spent:
    """Of today, in the organization's zone. One query where no rule is on, else two or three."""
    rules = RetryRule.objects.for_organization(organization).exclude(starts_at=None)
    by_id = {rule.pk: rule for rule in rules}
    if not by_id:
        return Spent([])
    day = timezone.localdate(timezone.now(), next(iter(by_id.values())).zone)
    left = AutomaticRetry.objects.filter(rule__in=by_id, day=day, state=RetryState.OVER_LIMIT)
    found = sorted(left.values_list("rule", "account").distinct())
    accounts = ProviderAccount.objects.for_health().in_bulk([account for _, account in found])
    return Spent([(by_id[rule], accounts[account]) for rule, account in found])
