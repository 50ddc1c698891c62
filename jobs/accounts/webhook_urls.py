"""Our webhook URLs: each is a secret. And which accounts have it sent along with each job."""

import ipaddress

from django.conf import settings
from django.urls import reverse

from jobs.models import ProviderAccount
from organizations.encryption import Undecryptable
from providers.core.types import Capability
from providers.http.connections import is_public
from providers.parsing.urls import parse_url

# The option of an account: on, off, or absent, which is as `is_sent_by_default`.
SEND_OPTION = "send_webhook_url"
ON, OFF = "on", "off"

# names that only a private network resolves
_PRIVATE_DOMAINS = (".local", ".localhost", ".internal", ".lan", ".home.arpa")


def webhook_url(account: ProviderAccount) -> str:
    """Our URL for the provider's deliveries: itself a secret, for managers only.

    Empty after a lost key, until the account's credentials are entered again.
    """
    try:
        path = reverse("jobs:webhook", args=[account.provider, account.pk, account.hook_secret])
    except Undecryptable:
        return ""
    return f"{settings.BASE_URL}{path}"


def mask(url: str) -> str:
    """A webhook URL without its secret, to be shown."""
    start, _, _ = url.rstrip("/").rpartition("/")
    return f"{start}/{'•' * 12}/" if url else ""


def job_webhook_url(account: ProviderAccount) -> str:
    """The URL that jobs submitted to the account carry; empty where they carry none."""
    is_possible = account.pk and account.adapter_class.supports(Capability.JOB_WEBHOOK)
    return webhook_url(account) if is_possible and sends_webhook_url(account) else ""


def sends_webhook_url(account: ProviderAccount) -> bool:
    chosen = account.options.get(SEND_OPTION)
    return chosen == ON if chosen in (ON, OFF) else is_sent_by_default(account.base_url)


def is_sent_by_default(base_url: str) -> bool:
    """Whether a provider at `base_url` is likely to reach us: no name is looked up."""
    return not _is_private(settings.BASE_URL) or _is_loopback(base_url)


def _is_private(url: str) -> bool:
    host = parse_url(url).host
    try:
        return not is_public(str(ipaddress.ip_address(host)))
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE_DOMAINS)


def _is_loopback(url: str) -> bool:
    host = parse_url(url).host
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
