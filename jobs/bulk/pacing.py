"""How fast a bulk action may ask: as each account allows, and never in the way of people."""

from collections.abc import Mapping
from datetime import datetime

from django.db.models import Count

from jobs.accounts.budget import limits_of, read_usages
from jobs.bulk.actions.base import Action
from jobs.bulk.actions.registry import ACTIONS, build_action
from jobs.models import BulkAction, BulkOutcome, BulkTarget, ProviderAccount
from jobs.workqueue.short_runs import UNDER_WAY, usable

# Of an action that asks no provider, in one run
AT_ONCE = 100


def count_room(bulk: BulkAction, now: datetime) -> dict[int, int]:
    """By account: how many more jobs may be requested now. Four queries at most.

    Bulk actions at the same account share it.
    """
    action = build_action(bulk.kind_value)
    if not action.ASKS_PROVIDER:
        return dict.fromkeys(map(int, bulk.accounts), AT_ONCE)
    accounts = ProviderAccount.objects.in_bulk(action.find_asked(bulk))
    sent = BulkTarget.objects.filter(account__in=list(accounts), outcome=BulkOutcome.SENT)
    counts = {
        (account, owner): count
        for account, owner, count in sent.values_list("account", "bulk").annotate(Count("pk"))
    }
    sharing = _count_sharing(bulk)
    usages = read_usages(accounts.values(), now)
    room = {}
    for pk, account in accounts.items():
        under_way = sum(count for (other, _), count in counts.items() if other == pk)
        share = max(UNDER_WAY // (1 + sharing.get(pk, 0)), 1)
        free = min(UNDER_WAY - under_way, share - counts.get((pk, bulk.pk), 0))
        usage = usages[pk].get(action.bucket_of(account.adapter_class))
        if usage is not None:
            free = min(free, usable(usage.limit) - usage.used - under_way)
        room[pk] = free
    return room


def find_pace(action: Action, account: ProviderAccount) -> int | None:
    """How many jobs a minute the account allows; None where its provider sets no limit."""
    limit = limits_of(account).get(action.bucket_of(account.adapter_class))
    return None if limit is None else usable(limit)


def _count_sharing(bulk: BulkAction) -> Mapping[int, int]:
    """By account: how many other bulk actions run there."""
    others = BulkAction.objects.running().exclude(pk=bulk.pk)
    sharing: dict[int, int] = {}
    for other in others.only("kind", "accounts", "target_account"):
        for pk in ACTIONS[other.kind_value].find_asked(other):
            sharing[pk] = sharing.get(pk, 0) + 1
    return sharing
