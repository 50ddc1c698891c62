"""Asking for an account to be synced sooner than its schedule says."""

from datetime import timedelta

from django.utils import timezone

from jobs.accounts.interactive import ask
from jobs.models import ProviderAccount, ProviderHost


def request_sync(account: ProviderAccount) -> None:
    """Make the account due at once; a refusal and the back-off are forgotten."""
    now = timezone.now()
    row = ProviderAccount.objects.filter(pk=account.pk)
    # while it was refused nobody expected a success
    row.filter(refused_at__isnull=False).update(expected_at=now)
    row.update(next_sync_at=now, refused_at=None)
    ProviderHost.objects.filter(pk=account.host).update(next_probe_at=now)


def check_credentials(account: ProviderAccount) -> bool:
    """Ask the provider whether it accepts the account's credentials.

    If so, an account that it had refused is synced again; returns whether it is. Raises
    ProviderError.
    """
    ask(account, lambda adapter: adapter.check_credentials())
    ProviderAccount.objects.filter(pk=account.pk).update(unchecked_since=None)
    is_stopped = account.enabled and account.refused_at is not None
    if is_stopped:
        request_sync(account)
    return is_stopped


def request_sync_soon(account: ProviderAccount) -> None:
    """Sync the account shortly, unless it is due sooner or backing off."""
    soon = timezone.now() + timedelta(seconds=2)
    ProviderAccount.objects.filter(
        pk=account.pk, next_sync_at__gt=soon, consecutive_failures=0
    ).update(next_sync_at=soon)
