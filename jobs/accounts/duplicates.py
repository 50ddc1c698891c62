"""An account of a provider that was added twice: its jobs are counted, and may be retried, twice.

Nothing is refused for it, since somebody may be about to replace the one by the other.
"""

import hmac
from collections.abc import Iterable
from typing import Any

from django.db.models import Count, QuerySet

from jobs.models import Job, ProviderAccount
from organizations.encryption import Undecryptable
from providers.core.contract import Account

# It comes with each delivery and does not say whose account it is.
NOT_IDENTIFYING = {"webhook_secret"}
# Of so many of the newest jobs, this share is enough: one account may have been read later than
# the other, or not as far.
SAMPLE = 20
SHARED = 0.5


def find_duplicates(
    account: ProviderAccount, accounts: QuerySet[ProviderAccount]
) -> list[ProviderAccount]:
    """Those of `accounts`, which the caller may see, that are the same at their provider.

    At the same URL with the same key, or with the same jobs. By name; three queries.
    """
    same_place = accounts.filter(
        organization=account.organization_id, provider=account.provider, base_url=account.base_url
    )
    others = list(same_place.exclude(pk=account.pk).defer("hook_secret").order_by("name"))
    if not others:
        return []
    sharing = _sharing_jobs(account, others)
    return [one for one in others if one.pk in sharing or _has_same_key(account, one)]


def describe_duplicates(account: ProviderAccount, duplicates: Iterable[ProviderAccount]) -> str:
    """A sentence for people; empty where there are none."""
    names = " and ".join(f"“{one}”" for one in duplicates)
    if not names:
        return ""
    return (
        f"This is the same {account.provider_label} account as {names}: each of its jobs is "
        "counted twice, and could be retried twice. Keep only one of them."
    )


def _has_same_key(account: ProviderAccount, other: ProviderAccount) -> bool:
    """Whether one credential is the same, and what else says which account it is."""
    try:
        mine, theirs = account.as_remote(), other.as_remote()
    except Undecryptable:
        return False
    adapter_class = account.adapter_class
    places = [field.name for field in adapter_class.option_fields if field.required]
    if any(mine.options.get(name) != theirs.options.get(name) for name in places):
        return False
    names = {field.name for field in adapter_class.credential_fields} - NOT_IDENTIFYING
    return any(_is_same(_text(mine, name), _text(theirs, name)) for name in names)


def _text(account: Account, name: str) -> str:
    value: Any = account.credentials.get(name)
    return value if isinstance(value, str) else ""


def _is_same(one: str, other: str) -> bool:
    return bool(one) and hmac.compare_digest(one.encode(), other.encode())


def _sharing_jobs(account: ProviderAccount, others: Iterable[ProviderAccount]) -> set[int]:
    """Which of the others have at least SHARED of the newest jobs, by the provider's ids."""
    newest = Job.objects.filter(account=account).order_by("-sort_at", "-id")
    ids = [text for text in newest.values_list("remote_id", flat=True)[:SAMPLE] if text]
    if not ids:
        return set()
    found = (
        Job.objects.filter(
            organization=account.organization_id,
            remote_id__in=ids,
            account__in=[one.pk for one in others],
        )
        .order_by()
        .values("account")
        .annotate(number=Count("remote_id", distinct=True))
    )
    return {row["account"] for row in found if row["number"] >= SHARED * len(set(ids))}
