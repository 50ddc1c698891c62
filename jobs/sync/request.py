"""Asking for an account to be synced sooner than its schedule says."""

from datetime import timedelta

from django.utils import timezone

from jobs.models import ProviderAccount


def request_sync_soon(account: ProviderAccount) -> None:
    """Sync the account shortly, unless it is due sooner or backing off."""
    soon = timezone.now() + timedelta(seconds=2)
    ProviderAccount.objects.filter(
        pk=account.pk, next_sync_at__gt=soon, consecutive_failures=0
    ).update(next_sync_at=soon)
